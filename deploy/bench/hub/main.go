// Command hub measures the sse-hub and prints JSON, each figure beside its target.
//
// It starts the built program, with its history on disk, and is itself a load
// generator of raw sockets from several loopback addresses. For each sink of the
// hub, the event loop and the goroutine for each client that net/http has, it
// reports
//
//   - fan-out: many clients of one topic, 10 publications a second of 200 bytes:
//     the time from the call of Publish to each client, and to the last one;
//   - small audiences while as many are connected: 100 and 1,000 receivers, the
//     others quiet, and the others with a fan-out of their own;
//   - a stalled reader: what it changes for the others;
//   - a burst: 1,000 publications at once to 1,000 clients;
//   - connects: all at once, and all gone at once, with publications meanwhile;
//   - memory at rest and with idle clients.
//
// With --check it counts gaps and duplicates instead, over a run in which the hub
// is stopped, and killed with -9, again and again, and some clients stop reading.
//
// Times depend on the machine and what else it does; compare figures of one run.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/obby/go-services/deploy/bench/measure"
	"github.com/obby/go-services/deploy/run/stack"
)

// options are the command's flags.
type options struct {
	bin     string
	dir     string
	sinks   string
	only    string
	clients int
	idle    int
	seconds int
	check   bool
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin", "directory of the built programs")
	flag.StringVar(&o.dir, "dir", "", "where the history is kept; default: the system's temporary directory")
	flag.StringVar(&o.sinks, "sinks", "auto,net-http", "sinks to measure")
	flag.StringVar(&o.only, "only", "", "measure this alone: fan-out, small, stalled, burst, connects or memory")
	flag.IntVar(&o.clients, "clients", 10_000, "clients of the fan-out")
	flag.IntVar(&o.idle, "idle", 19_000, "idle clients whose memory is measured")
	flag.IntVar(&o.seconds, "seconds", 10, "how long each load lasts")
	flag.BoolVar(&o.check, "check", false, "count gaps and duplicates while the hub is killed again and again")
	flag.Parse()
	// A thread that waits in epoll keeps a processor of Go's scheduler: there must
	// be some for the publisher.
	runtime.GOMAXPROCS(4 * runtime.NumCPU())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	report, err := run(ctx, o)
	stop()
	if err == nil {
		err = measure.Print(report)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (any, error) {
	if o.check {
		return check(ctx, o)
	}
	all := &report{Machine: measure.Here(), Clients: o.clients, Sinks: map[string]*figures{}}
	for _, sink := range strings.Split(o.sinks, ",") {
		f := &figures{}
		all.Sinks[sink] = f
		for _, s := range scenarios {
			if o.only != "" && o.only != s.name {
				continue
			}
			b, err := start(ctx, o, sink)
			if err != nil {
				return nil, err
			}
			err = s.run(b, ctx, f)
			b.stop()
			if err != nil {
				return nil, fmt.Errorf("%s, sink %s: %w", s.name, sink, err)
			}
		}
	}
	return all, nil
}

// bench is a running hub.
type bench struct {
	options
	*stack.Process
	history string
}

// start starts a hub with a history of its own.
func start(ctx context.Context, o options, sink string) (*bench, error) {
	dir, err := os.MkdirTemp(o.dir, "bench-hub-")
	if err != nil {
		return nil, err
	}
	var last string
	process, err := stack.StartProcess(ctx, filepath.Join(o.bin, stack.Hub), stack.Hub, []string{
		"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--http", "127.0.0.1:0", "--history-dir", dir, "--sink", sink,
	}, func(_, line string) { last = line })
	if err != nil {
		return nil, fmt.Errorf("%w; its last word: %s", err, last)
	}
	return &bench{o, process, dir}, nil
}

func (b *bench) stop() {
	b.Kill()
	os.RemoveAll(b.history)
}

func (b *bench) load(per time.Duration) int { return int(time.Duration(b.seconds) * time.Second / per) }
