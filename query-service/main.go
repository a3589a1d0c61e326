// Command query-service answers questions about the recorded history from the
// database, over gRPC. It never writes.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // time zones also where the machine has no files of them

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/obby/go-services/internal/config"
	"github.com/obby/go-services/internal/service"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
	"github.com/obby/go-services/query-service/internal/rpc"
	"github.com/obby/go-services/query-service/internal/store"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, env func(string) (string, bool), stdout, stderr io.Writer) int {
	info := service.NewInfo("query-service")
	cfg := defaults()
	err := config.Load(&cfg, config.Program{
		Name: info.Name, Prefix: "OBBY_QUERY", Version: info.String(),
		Summary: "Answers questions about the recorded history from the database.",
		Args:    args, LookupEnv: env, Output: stdout,
	})
	if errors.Is(err, config.ErrDone) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	sizeMemory(env)
	log := cfg.Logger(stderr, info.Name)
	metrics := prometheus.NewRegistry()
	health := service.NewHealth()
	history := store.New(cfg.Database, log, reporter(metrics, health))
	server := rpc.New(history, info, localZone(), log)
	err = service.Run(ctx, service.Process{
		Info: info, Settings: cfg.Settings, Log: log, Metrics: metrics, Health: health,
		Register: func(r grpc.ServiceRegistrar) { queryv1.RegisterQueryServiceServer(r, server) },
		HTTP:     listenHTTP(&cfg, metrics, log),
		Workers:  []service.Worker{{Name: "database", Run: history.Run}},
		Drain:    []service.Step{{Name: "streams", Run: server.Drain}},
	})
	if err != nil {
		log.Error("query-service ended", "err", err)
		return 1
	}
	return 0
}

// reporter returns what tells health and metrics whether there is a usable
// database.
func reporter(metrics *prometheus.Registry, health *service.Health) func(error) {
	usable := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "obby_query_database_usable", Help: "1 while there is a usable database, else 0.",
	})
	metrics.MustRegister(usable)
	return func(err error) {
		usable.Set(0)
		if err == nil {
			usable.Set(1)
		}
		health.Set(err)
	}
}
