// Package stack runs the four services as processes of one machine: in order,
// each ready before the next starts, each given the addresses of those it calls. The
// query-service, which the hub calls, waits until the content-tracker has made the
// database: it listens first and is ready last.
//
// The launcher behind `make run` and the end-to-end tests use it alike, so what
// the tests show holds for what a person starts.
package stack

import (
	"context"
	"os"
	"path/filepath"
	"slices"
)

// Options says what to run.
type Options struct {
	Bin      string                     // directory of the four programs
	Database string                     // path of the shared SQLite file
	Roots    []string                   // directories to watch
	Args     map[string][]string        // further arguments by service
	Log      func(service, line string) // gets every log line; called concurrently
}

// Service names a program of the stack.
const (
	Hub     = "sse-hub"
	Watcher = "file-watcher"
	Tracker = "content-tracker"
	Query   = "query-service"
)

// Services lists the programs in the order in which they start.
var Services = []string{Query, Hub, Watcher, Tracker}

// Stack is the four running services.
type Stack struct {
	processes []*Process
}

// Start runs all four and returns when each is ready. When one does not start,
// those before it are stopped and the error says which and why.
func Start(ctx context.Context, o Options) (*Stack, error) {
	s := &Stack{}
	for _, name := range Services {
		p := newProcess(filepath.Join(o.Bin, name), name, append(s.arguments(name, o), o.Args[name]...), o.Log)
		err := p.listen(ctx)
		if err == nil {
			s.processes = append(s.processes, p)
			if name != Query {
				err = p.awaitReady(ctx)
			}
		}
		if err != nil {
			return nil, s.abandon(ctx, err)
		}
	}
	if err := s.Get(Query).awaitReady(ctx); err != nil {
		return nil, s.abandon(ctx, err)
	}
	return s, nil
}

// abandon stops what has started and returns err.
func (s *Stack) abandon(ctx context.Context, err error) error {
	s.Stop(context.WithoutCancel(ctx))
	return err
}

func (s *Stack) arguments(name string, o Options) []string {
	switch name {
	case Tracker:
		args := []string{"--database", o.Database, "--watcher", s.Get(Watcher).Addr["grpc"], "--hub", s.Get(Hub).Addr["grpc"]}
		for _, root := range o.Roots {
			args = append(args, "--root", root)
		}
		return args
	case Query:
		args := []string{"--database", o.Database}
		if os.Getenv("OBBY_QUERY_HTTP") == "" { // whoever sets it means it
			args = append(args, "--http", "127.0.0.1:0")
		}
		return args
	case Hub:
		return []string{
			"--history-dir", filepath.Join(filepath.Dir(o.Database), "events"), "--query-http", s.Get(Query).Addr["http"],
		}
	default:
		return nil
	}
}

// Get returns the process of a service, nil before it was started.
func (s *Stack) Get(name string) *Process {
	i := slices.IndexFunc(s.processes, func(p *Process) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return s.processes[i]
}

// Ended returns the name of the first service that ends by itself, or "" when
// ctx is over first.
func (s *Stack) Ended(ctx context.Context) string {
	ended := make(chan string, len(s.processes))
	for _, p := range s.processes {
		go func() { // stopped by the process's end or by ctx
			select {
			case <-p.Done():
				ended <- p.Name
			case <-ctx.Done():
			}
		}()
	}
	select {
	case name := <-ended:
		return name
	case <-ctx.Done():
		return ""
	}
}

// Stop ends the services in reverse order: a service's callers end before it.
// Those that run when ctx is over are killed.
func (s *Stack) Stop(ctx context.Context) {
	for _, p := range slices.Backward(s.processes) {
		_ = p.Stop(ctx) // how it ended is in its log
	}
}
