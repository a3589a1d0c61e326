// Command query measures the query-service and prints JSON.
//
// It makes a database of a year of changes, has the built content-tracker index it,
// starts the built query-service on it and asks over gRPC, each kind of call by
// itself: requests per second, how long one took, and the service's memory at rest
// and at most. A second database has ten times the versions of the same number of
// files; what a call costs there, by what it costs in the first, says whether it
// grows with the table or with the page.
//
// Contents are 1.3 KB on the average, so that a million of them, with their diffs
// and indexes, are a file of 3 GB; --bytes sets another size. To make it takes two
// minutes: --data keeps it.
//
// Callers and service share the machine. Targets stand beside the figures. Times
// depend on the machine and what else it does; compare figures of one run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/obby/go-services/deploy/bench/measure"
)

// options are the command's flags.
type options struct {
	bin, data   string
	versions    string
	files       int
	bytes       int
	seconds     float64
	only        string
	onlyPrepare bool
}

// report is what the command prints.
type report struct {
	Machine   measure.Machine `json:"machine"`
	Databases []*figures      `json:"databases"`
	// Growth is how much more a call costs in the last database than in the first.
	Growth map[string]growth `json:"growth,omitempty"`
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin", "directory of the built programs")
	flag.StringVar(&o.data, "data", "", "directory that keeps the databases for the next run; empty: a temporary one")
	flag.StringVar(&o.versions, "versions", "100000,1000000", "versions of each database, comma-separated")
	flag.IntVar(&o.files, "files", 10_000, "files of a database")
	flag.IntVar(&o.bytes, "bytes", 1300, "mean size of a content")
	flag.Float64Var(&o.seconds, "seconds", 5, "how long each kind of call is made")
	flag.StringVar(&o.only, "only", "", "comma-separated kinds of calls, such as content,search: those whose names begin so; empty: all")
	flag.BoolVar(&o.onlyPrepare, "prepare", false, "make the databases in --data, and print where they are")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	extents, err := o.extents()
	if err != nil {
		return err
	}
	if o.data == "" {
		if o.data, err = os.MkdirTemp("", "bench-query-"); err != nil {
			return err
		}
		defer os.RemoveAll(o.data)
	}
	r := &report{Machine: measure.Here()}
	for _, size := range extents {
		f, err := o.measure(ctx, size)
		if err != nil {
			return fmt.Errorf("%d versions: %w", size.versions, err)
		}
		r.Databases = append(r.Databases, f)
	}
	if first, last := r.Databases[0], r.Databases[len(r.Databases)-1]; first != last && !o.onlyPrepare {
		r.Growth = compare(first, last)
	}
	return measure.Print(r)
}

// extents reads which databases are asked for.
func (o options) extents() (all []extent, err error) {
	for _, text := range strings.Split(o.versions, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < o.files {
			return nil, fmt.Errorf("--versions: %q is not a number of versions that is at least that of the files, %d", text, o.files)
		}
		all = append(all, extent{versions: n, files: o.files, bytes: o.bytes})
	}
	switch {
	case o.files < 1 || o.bytes < 200:
		return nil, errors.New("--files is to be at least 1, --bytes at least 200")
	case o.seconds <= 0:
		return nil, errors.New("--seconds is to be above 0")
	case o.onlyPrepare && o.data == "":
		return nil, errors.New("--prepare needs --data: a temporary directory is removed at the end")
	}
	return all, nil
}

// wanted reports whether a scenario was asked for.
func (o options) wanted(name string) bool {
	for _, prefix := range strings.Split(o.only, ",") {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func (o options) lasts() time.Duration { return time.Duration(o.seconds * float64(time.Second)) }
