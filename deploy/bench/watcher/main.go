// Command watcher measures the file-watcher and prints JSON. Beside it stand, on
// the same storm in the same run, Python's watchdog and a reader of raw inotify
// notifications, which does nothing but build each one's path: the floor.
//
//   - storm: one process writes files in 50 directories as fast as it can. How
//     many does each reader report, and what CPU time does it take for each
//     notification of the kernel?
//   - drain: the reader is stopped while the kernel's queue fills, and goes on. How
//     fast is the queue empty? The queue is looked at from outside (pidfd_getfd(2),
//     FIONREAD, which is TIOCINQ).
//   - latency: from a file's close to a gRPC subscriber, beyond the quiet delay.
//   - stream: events a second from the journal to one subscriber and to ten, which
//     are processes of their own.
//   - start: how long StartWatching takes on a large tree, and what a directory, a
//     file and a pending change cost in memory: the growth of the process, garbage
//     included.
//   - rest: memory and CPU time of a watcher with nothing to do.
//
// The targets stand beside the figures. Times depend on the machine and on what
// else it does; the ratios of one run mean more.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/obby/go-services/deploy/bench/measure"
)

// options are the command's flags.
type options struct {
	bin, dir, python string
	files            int
	only             string
}

// report is what the command prints: a section for each scenario that ran.
type report struct {
	Machine measure.Machine `json:"machine"`
	Limits  map[string]int  `json:"inotify_limits"`
	// InMemory: a disk's pace is no part of the figures.
	InMemory bool           `json:"in_memory"`
	Storm    *stormReport   `json:"storm,omitempty"`
	Drain    *drainReport   `json:"drain,omitempty"`
	Latency  *latencyReport `json:"latency,omitempty"`
	Stream   *streamReport  `json:"stream,omitempty"`
	Start    *startReport   `json:"start,omitempty"`
	Rest     *restReport    `json:"rest,omitempty"`
}

func main() {
	if helper() { // a process of a scenario
		return
	}
	var o options
	flag.StringVar(&o.bin, "bin", "bin", "directory of the built programs")
	flag.StringVar(&o.dir, "dir", "", "where files are made; default: in memory where something can be mounted, else the system's temporary directory")
	flag.StringVar(&o.python, "python", "", "a Python that has watchdog; empty: without it")
	flag.IntVar(&o.files, "files", 50_000, "files of the storm")
	flag.StringVar(&o.only, "only", "", "comma-separated scenarios; empty: all")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	r, err := run(ctx, o)
	stop()
	if err == nil {
		err = measure.Print(r)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (r *report, err error) {
	b := &bench{options: o}
	if b.dir, err = os.MkdirTemp(o.dir, "bench-watcher-"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(b.dir)
	r = &report{Machine: measure.Here(), Limits: limits()}
	if r.InMemory = o.dir == "" && unix.Mount("none", b.dir, "tmpfs", 0, "") == nil; r.InMemory {
		defer unix.Unmount(b.dir, unix.MNT_DETACH) //nolint:errcheck // it ends with the machine at the latest
	}
	scenarios := []struct {
		name string
		run  func(context.Context) error
	}{
		{"storm", func(ctx context.Context) (err error) { r.Storm, err = b.storm(ctx); return err }},
		{"drain", func(ctx context.Context) (err error) { r.Drain, err = b.drain(ctx); return err }},
		{"latency", func(ctx context.Context) (err error) { r.Latency, err = b.latency(ctx); return err }},
		{"stream", func(ctx context.Context) (err error) { r.Stream, err = b.stream(ctx); return err }},
		{"start", func(ctx context.Context) (err error) { r.Start, err = b.start(ctx); return err }},
		{"rest", func(ctx context.Context) (err error) { r.Rest, err = b.rest(ctx); return err }},
	}
	for _, s := range scenarios {
		if o.only != "" && !slices.Contains(strings.Split(o.only, ","), s.name) {
			continue
		}
		fmt.Fprintln(os.Stderr, s.name)
		if err := s.run(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return r, nil
}
