// Command file-watcher watches directory trees and streams what changes in them
// over gRPC.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/obby/go-services/file-watcher/internal/rpc"
	"github.com/obby/go-services/file-watcher/internal/watch"
	"github.com/obby/go-services/internal/config"
	"github.com/obby/go-services/internal/service"
	watcherv1 "github.com/obby/go-services/proto/gen/obby/watcher/v1"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, env func(string) (string, bool), stdout, stderr io.Writer) int {
	info := service.NewInfo("file-watcher")
	cfg := defaults()
	err := config.Load(&cfg, config.Program{
		Name: info.Name, Prefix: "OBBY_WATCHER", Version: info.String(),
		Summary: "Watches folders and streams what changes in them.",
		Args:    args, LookupEnv: env, Output: stdout,
	})
	if errors.Is(err, config.ErrDone) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	log := cfg.Logger(stderr, info.Name)
	watcher, err := watch.New(cfg.options(log))
	if err != nil {
		log.Error("file-watcher cannot start", "err", err)
		return 1
	}
	metrics, health := prometheus.NewRegistry(), service.NewHealth()
	metrics.MustRegister(collector{watcher})
	server := rpc.New(watcher, info, log)
	err = service.Run(ctx, service.Process{
		Info: info, Settings: cfg.Settings, Log: log, Metrics: metrics, Health: health,
		Register: func(r grpc.ServiceRegistrar) { watcherv1.RegisterFileWatcherServiceServer(r, server) },
		Workers: []service.Worker{
			{Name: "watcher", Run: watcher.Run},
			{Name: "roots", Run: func(ctx context.Context) error { return startRoots(ctx, watcher, cfg.Roots, health) }},
		},
		Drain: []service.Step{{Name: "streams", Run: watcher.Drain}},
	})
	if err != nil {
		log.Error("file-watcher ended", "err", err)
		return 1
	}
	return 0
}
