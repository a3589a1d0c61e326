// Command sse-hub distributes publications to subscribers: they come in over
// gRPC and go out over gRPC and as Server-Sent Events. It serves the live page.
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

	"github.com/obby/go-services/internal/config"
	"github.com/obby/go-services/internal/service"
	ssev1 "github.com/obby/go-services/proto/gen/obby/sse/v1"
	"github.com/obby/go-services/sse-hub/internal/hub"
	"github.com/obby/go-services/sse-hub/internal/rpc"
	"github.com/obby/go-services/sse-hub/internal/web"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, env func(string) (string, bool), stdout, stderr io.Writer) int {
	info := service.NewInfo("sse-hub")
	cfg := defaults()
	err := config.Load(&cfg, config.Program{
		Name: info.Name, Prefix: "OBBY_HUB", Version: info.String(),
		Summary: "Distributes publications to subscribers, over gRPC and as Server-Sent Events; serves the live page.",
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
	events := hub.New(hub.NewMemoryLog(cfg.retention()), cfg.hub())
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collector{events})
	health := service.NewHealth()
	health.Set(nil) // nothing to wait for
	err = service.Run(ctx, service.Process{
		Info: info, Settings: cfg.Settings, Log: log, Metrics: metrics, Health: health,
		Register: func(r grpc.ServiceRegistrar) {
			ssev1.RegisterSSEHubServiceServer(r, rpc.New(events, info, log))
		},
		HTTP: []service.HTTP{{Name: "http", Addr: cfg.HTTP, Server: web.NewServer(events, cfg.web(), log)}},
		// Ends the streams of both kinds, once they have what was published.
		Drain: []service.Step{{Name: "streams", Run: func(context.Context) error { events.Close(); return nil }}},
	})
	if err != nil {
		log.Error("sse-hub ended", "err", err)
		return 1
	}
	return 0
}
