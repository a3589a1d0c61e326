// Command content-tracker keeps every version and diff of the files below its
// roots. It is the one Go writer of the database.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/obby/go-services/content-tracker/internal/rpc"
	"github.com/obby/go-services/content-tracker/internal/store"
	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/config"
	"github.com/obby/go-services/internal/service"
	"github.com/obby/go-services/internal/sqlite"
)

// collectAt is the growth of the heap, in per cent, at which garbage is collected.
// The heap is a few megabytes of short-lived texts: Go's 100 would collect dozens
// of times a second while many files are tracked. With 400 memory grew by a third
// and nothing was faster.
const collectAt = 150

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, env func(string) (string, bool), stdout, stderr io.Writer) int {
	info := service.NewInfo("content-tracker")
	cfg := defaults()
	err := config.Load(&cfg, config.Program{
		Name: info.Name, Prefix: "OBBY_TRACKER", Version: info.String(),
		Summary: "Keeps every version and diff of the files below its roots.",
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
	if err := serve(ctx, &cfg, info, log); err != nil {
		log.Error("content-tracker ended", "err", err)
		return 1
	}
	return 0
}

func serve(ctx context.Context, cfg *settings, info service.Info, log *slog.Logger) error {
	metrics := prometheus.NewRegistry()
	db, err := store.Open(ctx, cfg.Database, cfg.Hub != "", metrics)
	if err != nil {
		return err
	}
	tracker := track.New(db, cfg.tracker(), log)
	workers, err := connect(cfg, db, tracker, log, metrics)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	server := rpc.New(tracker, info, cfg.features(), log)
	health := service.NewHealth()
	health.Set(nil) // the database is open; reconciling does not keep callers waiting
	return service.Run(ctx, service.Process{
		Info: info, Settings: cfg.Settings, Log: log, Metrics: metrics, Health: health,
		Register: server.Register,
		Drain:    []service.Step{{Name: "long calls", Run: func(context.Context) error { server.Stop(); return nil }}},
		Workers: append(workers,
			service.Worker{Name: "watch of the database", Run: db.Stay},
			service.Worker{Name: "checkpointer", Run: sqlite.NewCheckpointer(cfg.Database, log).Run},
			service.Worker{Name: "search index", Run: func(ctx context.Context) error { return db.CatchUp(ctx, log) }}),
		Close: []service.Step{{Name: "database", Run: func(context.Context) error { return db.Close() }}},
	})
}
