// Command sse-hub distributes publications to subscribers: they come in over
// gRPC and go out over gRPC and as Server-Sent Events. It serves the live page.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/obby/go-services/internal/config"
	"github.com/obby/go-services/internal/service"
	ssev1 "github.com/obby/go-services/proto/gen/obby/sse/v1"
	"github.com/obby/go-services/sse-hub/internal/rpc"
)

func main() {
	setProcs()
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
	if err := serve(ctx, &cfg, info, log); err != nil {
		log.Error("sse-hub ended", "err", err)
		return 1
	}
	return 0
}

func serve(ctx context.Context, cfg *settings, info service.Info, log *slog.Logger) error {
	health := service.NewHealth()
	p, err := assemble(cfg, health, log)
	if err != nil {
		return err
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collector{p.hub, p.web})
	return service.Run(ctx, service.Process{
		Info: info, Settings: cfg.Settings, Log: log, Metrics: metrics, Health: health,
		Register: func(r grpc.ServiceRegistrar) {
			ssev1.RegisterSSEHubServiceServer(r, rpc.New(p.hub, p.grpcAccess(), info, log))
		},
		HTTP: []service.HTTP{{Name: "http", Addr: cfg.HTTP, Server: p.web.HTTP, Wrap: p.web.Wrap}},
		// Ends the streams of all kinds, once they have what was published.
		Drain: []service.Step{{Name: "streams", Run: p.drain}},
		Close: []service.Step{{Name: "connections", Run: p.closeConnections}, {Name: "history", Run: p.closeHistory}},
	})
}
