package main

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/obby/go-services/content-tracker/internal/remote"
	"github.com/obby/go-services/content-tracker/internal/store"
	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/service"
)

// connect returns the workers that the settings ask for: the follower of the
// watcher, or without one a single reconciliation, and the publisher to the hub.
func connect(cfg *settings, db *store.Store, tracker *track.Tracker, log *slog.Logger, metrics prometheus.Registerer) ([]service.Worker, error) {
	var workers []service.Worker
	if cfg.Watcher != "" {
		conn, err := remote.Dial(cfg.Watcher, service.MaxMessageBytes)
		if err != nil {
			return nil, err
		}
		watcher := remote.NewWatcher(conn, tracker, log, metrics)
		workers = append(workers, service.Worker{Name: "watcher", Run: watcher.Run})
	} else {
		workers = append(workers, service.Worker{Name: "reconciliation", Run: func(ctx context.Context) error {
			reconcileOnce(ctx, tracker, log)
			return nil
		}})
	}
	if !tracker.Policy().Empty() {
		workers = append(workers, service.Worker{Name: "retention", Run: tracker.KeepRetaining})
	}
	if cfg.Hub != "" {
		var options []grpc.DialOption
		if cfg.HubToken != "" {
			options = append(options, remote.WithTokenFile(cfg.HubToken))
		}
		conn, err := remote.Dial(cfg.Hub, service.MaxMessageBytes, options...)
		if err != nil {
			return nil, err
		}
		hub := remote.NewHub(conn, db, cfg.Roots, log, metrics)
		workers = append(workers, service.Worker{Name: "hub", Run: hub.Run})
	}
	return workers, nil
}

// reconcileOnce records what happened while the service was down, for the caller
// who brings changes by TrackChange from now on.
func reconcileOnce(ctx context.Context, tracker *track.Tracker, log *slog.Logger) {
	for _, root := range tracker.Roots() {
		var last track.Progress
		if err := tracker.Reconcile(ctx, root, false, func(p track.Progress) { last = p }); err != nil {
			if ctx.Err() == nil {
				log.Warn("root not compared with the disk", "root", root, "err", err)
			}
			continue
		}
		log.Info("root compared with the disk", "root", root, "files", last.Seen, "changes", last.Changes, "errors", last.Errors)
	}
}

// features names the optional abilities that this process was started with.
func (s *settings) features() []string {
	features := []string{"reconcile", "restore", "labels", "retention", "forget"}
	if s.Watcher != "" {
		features = append(features, "pipeline")
	}
	if s.Hub != "" {
		features = append(features, "publish")
	}
	return features
}
