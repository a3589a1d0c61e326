package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
)

// Worker is what a process does beside answering calls.
type Worker struct {
	Name string
	// Run returns when ctx ends; an error before that stops the process.
	Run func(ctx context.Context) error
}

// HTTP is a listener beside gRPC and admin. Name is also the flag that sets its
// address and the attribute under which it is logged.
type HTTP struct {
	Name, Addr string
	Server     *http.Server
	Wrap       func(net.Listener) net.Listener // optional: bounds connections, adds TLS
	// OverGRPC is for the gRPC API in another form: of the gRPC server it makes what
	// Server serves. Optional.
	OverGRPC func(*grpc.Server) (http.Handler, error)
}

// Process describes a service to Run. Every field is required but HTTP, Workers,
// Drain and Close.
type Process struct {
	Info     Info
	Settings Settings
	Log      *slog.Logger
	Metrics  *prometheus.Registry
	Health   *Health
	Register func(grpc.ServiceRegistrar) // registers the gRPC API
	HTTP     []HTTP
	Workers  []Worker
	Drain    []Step // run while calls are still answered: end open streams
	Close    []Step // run when nothing else runs: close the store
}

// Run serves until ctx ends or a worker or listener fails, then stops as the
// package comment says. It returns nil after an ordinary stop.
//
// Once every listener is bound it logs one line, `listening`, with the address of
// each: the launcher and the tests read it.
func Run(ctx context.Context, p Process) error {
	registerProcess(p.Metrics, p.Info)
	bound, err := bind(ctx, &p)
	if err != nil {
		return errors.Join(err, runSteps(ctx, p.Log, p.Close))
	}
	server := newServer(&p, p.Settings.Reflection == "on" || p.Settings.Reflection == "auto" && loopback(bound.grpc.Addr()))
	if err := serveOverGRPC(&p, server); err != nil {
		bound.close()
		return errors.Join(err, runSteps(ctx, p.Log, p.Close))
	}
	admin := adminServer(&p)
	bound.log(&p)

	// Ends after gRPC has stopped, so that workers finish what was acknowledged.
	workerCtx, stopWorkers := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorkers()
	failed := make(chan error, len(p.Workers)+len(p.HTTP)+2) // each sender sends once
	workers := startWorkers(workerCtx, p.Workers, failed)
	go func() { failed <- ignoreClosed("gRPC", server.Serve(bound.grpc)) }()
	go func() { failed <- ignoreClosed("admin", admin.Serve(bound.admin)) }()
	for i, h := range p.HTTP {
		listener := bound.http[i]
		if h.Wrap != nil {
			listener = h.Wrap(listener)
		}
		go func() { failed <- ignoreClosed(h.Name, h.Server.Serve(listener)) }()
	}
	err = firstFailure(ctx, failed)
	return errors.Join(err, stop(ctx, &p, server, admin, stopWorkers, workers))
}

func serveOverGRPC(p *Process, server *grpc.Server) error {
	for _, h := range p.HTTP {
		if h.OverGRPC == nil {
			continue
		}
		handler, err := h.OverGRPC(server)
		if err != nil {
			return fmt.Errorf("serve %s: %w", h.Name, err)
		}
		h.Server.Handler = handler
	}
	return nil
}

func firstFailure(ctx context.Context, failed <-chan error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			if err != nil {
				return err
			}
		}
	}
}

func stop(ctx context.Context, p *Process, server *grpc.Server, admin *http.Server, stopWorkers func(), workers <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.Settings.StopTimeout)
	defer cancel()
	p.Log.Info("stopping")
	p.Health.stop()
	steps := append([]Step{}, p.Drain...)
	// HTTP first: gRPC, when it stops, cuts off the calls that it has from there.
	for _, h := range p.HTTP {
		steps = append(steps, stopHTTP(h.Name, h.Server))
	}
	steps = append(steps, stopGRPC(server))
	steps = append(steps, Step{"workers", func(ctx context.Context) error {
		stopWorkers()
		select {
		case <-workers:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}})
	steps = append(steps, p.Close...)
	steps = append(steps, stopHTTP("admin", admin))
	err := runSteps(ctx, p.Log, steps)
	p.Log.Info("stopped")
	return err
}

// startWorkers runs the workers; the channel is closed when all have returned.
func startWorkers(ctx context.Context, workers []Worker, failed chan<- error) <-chan struct{} {
	all := make(chan struct{})
	ended := make(chan struct{}, len(workers)) // one for each: nobody waits to send
	for _, w := range workers {
		go func() { // stopped by ctx
			defer func() { ended <- struct{}{} }()
			if err := runWorker(ctx, w); err != nil && ctx.Err() == nil {
				failed <- fmt.Errorf("%s: %w", w.Name, err)
			}
		}()
	}
	go func() { // ends with the last worker
		for range workers {
			<-ended
		}
		close(all)
	}()
	return all
}

func runWorker(ctx context.Context, w Worker) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return w.Run(ctx)
}

// listeners are the bound addresses of a process.
type listeners struct {
	grpc, admin net.Listener
	http        []net.Listener
}

// bind takes every address, or none.
func bind(ctx context.Context, p *Process) (bound listeners, err error) {
	defer func() {
		if err != nil {
			bound.close()
		}
	}()
	if bound.grpc, err = listen(ctx, p.Settings.Listen, "gRPC", "listen"); err != nil {
		return bound, err
	}
	if bound.admin, err = listen(ctx, p.Settings.Admin, "the admin listener", "admin"); err != nil {
		return bound, err
	}
	for _, h := range p.HTTP {
		l, err := listen(ctx, h.Addr, h.Name, h.Name)
		if err != nil {
			return bound, err
		}
		bound.http = append(bound.http, l)
	}
	return bound, nil
}

func listen(ctx context.Context, addr, what, flag string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the address %s, for %s, is taken by another program: stop that one, or choose another with --%s", addr, what, flag)
	}
	if err != nil {
		return nil, fmt.Errorf("the address %s, for %s, cannot be used: choose another with --%s (%w)", addr, what, flag, err)
	}
	return l, nil
}

func (l *listeners) close() {
	for _, one := range append([]net.Listener{l.grpc, l.admin}, l.http...) {
		if one != nil {
			one.Close()
		}
	}
}

func (l *listeners) log(p *Process) {
	attrs := []any{"grpc", l.grpc.Addr().String(), "admin", l.admin.Addr().String()}
	for i, h := range p.HTTP {
		attrs = append(attrs, h.Name, l.http[i].Addr().String())
	}
	p.Log.Info("listening", append(attrs, "version", p.Info.Version, "started_in", time.Since(p.Info.StartTime).Round(time.Millisecond))...)
}

func ignoreClosed(name string, err error) error {
	if err == nil || errors.Is(err, http.ErrServerClosed) || errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return fmt.Errorf("serve %s: %w", name, err)
}
