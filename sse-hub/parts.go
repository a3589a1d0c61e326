package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/obby/go-services/internal/service"
	"github.com/obby/go-services/sse-hub/internal/access"
	"github.com/obby/go-services/sse-hub/internal/hub"
	"github.com/obby/go-services/sse-hub/internal/rpc"
	"github.com/obby/go-services/sse-hub/internal/store"
	"github.com/obby/go-services/sse-hub/internal/web"
)

// parts are what the service is made of.
type parts struct {
	hub     *hub.Hub
	web     *web.Server
	access  *access.Verifier // nil: nobody is asked
	history io.Closer        // nil: in memory
	limit   time.Duration    // of waiting for streams to end
}

// assemble builds the parts.
func assemble(cfg *settings, health *service.Health, log *slog.Logger) (*parts, error) {
	p := &parts{limit: cfg.StopTimeout / 2} // the steps after it need their time, too
	verifier, err := cfg.access(log)
	if err != nil {
		return nil, err
	}
	p.access = verifier
	history, err := p.openHistory(cfg, health, log)
	if err != nil {
		return nil, err
	}
	if p.hub, err = hub.New(history, cfg.hub()); err == nil {
		err = p.openWeb(cfg, log)
	}
	if err != nil {
		return nil, errors.Join(err, p.closeHistory(context.Background()))
	}
	return p, nil
}

func (p *parts) openHistory(cfg *settings, health *service.Health, log *slog.Logger) (hub.Log, error) {
	if cfg.HistoryInMemory {
		health.Set(nil) // nothing to wait for
		return hub.NewMemoryLog(cfg.retention()), nil
	}
	history, err := store.Open(store.Options{
		Dir: cfg.HistoryDir, Retention: cfg.retention(), Memory: int64(cfg.HistoryMemory), Log: log,
		Failed: func(err error) {
			log.Error("the history takes nothing any more: publications are refused", "err", err)
			health.Set(fmt.Errorf("the history takes nothing any more: %w", err))
		},
	})
	if err != nil {
		return nil, err
	}
	p.history = history
	health.Set(nil)
	return history, nil
}

func (p *parts) openWeb(cfg *settings, log *slog.Logger) error {
	options, err := cfg.web()
	if err != nil {
		return err
	}
	if p.access != nil {
		options.Access = p.access
	}
	p.web, err = web.NewServer(p.hub, options, log)
	return err
}

// grpcAccess is the verifier, where there is one: an interface that holds a nil
// pointer is not nil.
func (p *parts) grpcAccess() rpc.Access {
	if p.access == nil {
		return nil
	}
	return p.access
}

// drain ends the streams, and waits for those that were taken from net/http.
func (p *parts) drain(ctx context.Context) error {
	p.hub.Close()
	ctx, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	_ = p.web.Drain(ctx) // what is left then is cut off
	return nil
}

func (p *parts) closeConnections(context.Context) error {
	p.web.Close()
	return nil
}

func (p *parts) closeHistory(context.Context) error {
	if p.history == nil {
		return nil
	}
	return p.history.Close()
}
