// Command tracker measures the content-tracker and prints JSON.
//
// It starts the built program on a folder of generated Markdown files of about
// 5 KB and reports
//
//   - TrackBatch of new files, and of the same files with one paragraph changed:
//     files per second, what they cost the tracker in CPU time, and when after the
//     last answer the search index was complete. Beside it, on the same files, what
//     the fallback in pure Python does (plain.py);
//   - TrackChange one at a time: what a single caller waits for, a commit on disk
//     included; and from many callers at once: steps per second by their number;
//   - Reconcile of all files, unchanged;
//   - hashing through GetContentHash beside crypto/sha256 of the same bytes in
//     memory, in turns;
//   - the diff of a million lines with 1,000 edits, by Go's own benchmark;
//   - many small files: memory at rest, at most and at the end, Reconcile.
//
// Targets stand beside the figures. Between phases the tracker comes to rest.
// Times depend on the machine and what else it does; compare figures of one run.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/obby/go-services/deploy/bench/measure"
)

// options are the command's flags.
type options struct {
	bin, dir, python, clients, source string
	files, large                      int
	only                              string
}

// report is what the command prints: a section for each scenario that ran.
type report struct {
	Machine measure.Machine `json:"machine"`
	Track   *tracked        `json:"track,omitempty"`
	Hash    *hashed         `json:"hash,omitempty"`
	Diff    *diffed         `json:"diff,omitempty"`
	Large   *large          `json:"large,omitempty"`
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin", "directory of the built programs")
	flag.StringVar(&o.dir, "dir", "", "where files and databases are made; default: the system's temporary directory")
	flag.StringVar(&o.python, "python", "python3", "a Python to compare with; empty: without it")
	flag.StringVar(&o.clients, "clients", "clients/python/src", "where that Python finds the clients and their fallback")
	flag.StringVar(&o.source, "source", "content-tracker", "the tracker's module, whose benchmark of the diff is run")
	flag.IntVar(&o.files, "files", 5000, "number of files")
	flag.IntVar(&o.large, "large", 100_000, "number of small files; 0: without them")
	flag.StringVar(&o.only, "only", "", "comma-separated scenarios (track, hash, diff, large); empty: all")
	flag.Parse()
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

func run(ctx context.Context, o options) (r *report, err error) {
	if o.dir, err = os.MkdirTemp(o.dir, "bench-tracker-"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(o.dir)
	b := &bench{o}
	r = &report{Machine: measure.Here()}
	for _, s := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"track", func(ctx context.Context) (err error) { r.Track, err = b.track(ctx); return err }},
		{"hash", func(ctx context.Context) (err error) { r.Hash, err = b.hash(ctx); return err }},
		{"diff", func(ctx context.Context) (err error) { r.Diff, err = b.diff(ctx); return err }},
		{"large", func(ctx context.Context) (err error) { r.Large, err = b.many(ctx); return err }},
	} {
		if o.only != "" && !slices.Contains(strings.Split(o.only, ","), s.name) || s.name == "large" && o.large == 0 {
			continue
		}
		fmt.Fprintln(os.Stderr, s.name)
		if err := s.run(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return r, nil
}
