package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/obby/go-services/deploy/bench/measure"
	trackerv1 "github.com/obby/go-services/proto/gen/obby/tracker/v1"
)

// report is what the command prints.
type report struct {
	Machine   measure.Machine `json:"machine"`
	Files     int             `json:"files"`
	Created   throughput      `json:"batch_of_new_files"`
	Modified  throughput      `json:"batch_of_modified_files"`
	Single    measure.Times   `json:"single_change"`
	Parallel  []throughput    `json:"changes_by_callers"`
	Reconcile throughput      `json:"reconcile_unchanged"`
	RestMiB   float64         `json:"memory_at_rest_mib"`
	EndMiB    float64         `json:"memory_at_the_end_mib"`
}

// throughput is how fast files were tracked.
type throughput struct {
	Callers   int     `json:"callers,omitempty"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"files_per_second"`
	CPUMicros float64 `json:"cpu_us_per_file"`
}

type bench struct {
	client trackerv1.ContentTrackerServiceClient
	pid    int
	root   string
	files  int
	words  *rand.Rand
}

// singles is how many changes are tracked one after the other.
const singles = 200

func (b *bench) run(ctx context.Context) (*report, error) {
	b.words = rand.New(rand.NewPCG(1, 2)) // the same text every time
	r := &report{Machine: measure.Here(), Files: b.files}
	rest, err := measure.Of(b.pid)
	if err != nil {
		return nil, err
	}
	r.RestMiB = mib(rest.RSS)
	all := make([]string, b.files)
	for i := range all {
		all[i] = filepath.Join(b.root, fmt.Sprintf("%02d", i%50), fmt.Sprintf("note-%d.md", i))
	}
	steps := []func() error{
		func() error { return b.write(all, 0) },
		func() (err error) {
			r.Created, err = b.timed(len(all), func() error { return b.batch(ctx, all) })
			return err
		},
		func() error { return b.write(all, 1) },
		func() (err error) {
			r.Modified, err = b.timed(len(all), func() error { return b.batch(ctx, all) })
			return err
		},
		func() (err error) { r.Single, err = b.one(ctx, all[:min(singles, len(all))]); return err },
		func() (err error) { r.Parallel, err = b.parallel(ctx, all); return err },
		func() (err error) {
			r.Reconcile, err = b.timed(len(all), func() error { return b.reconcile(ctx) })
			return err
		},
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	end, err := measure.Of(b.pid)
	r.EndMiB = mib(end.RSS)
	return r, err
}

func mib(bytes int64) float64 { return float64(bytes>>10) / 1024 }

// write gives every file about 5 KB; what changes with each edition is one
// paragraph.
func (b *bench) write(paths []string, edition int) error {
	for i, path := range paths {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		text := rand.New(rand.NewPCG(uint64(i), 0))
		var page strings.Builder
		fmt.Fprintf(&page, "# Note %d\n\n", i)
		for paragraph := range 12 {
			words := text
			if paragraph == 5 && edition > 0 {
				words = rand.New(rand.NewPCG(uint64(i), uint64(edition)))
			}
			for line := range 6 {
				for range 11 {
					page.WriteString(vocabulary[words.IntN(len(vocabulary))])
					page.WriteByte(" \n"[line/6])
				}
				page.WriteByte('\n')
			}
			page.WriteByte('\n')
		}
		if err := os.WriteFile(path, []byte(page.String()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// vocabulary is some thousand words, as a text has them.
var vocabulary = func() []string {
	syllables := []string{"ka", "lo", "mi", "ter", "so", "na", "ve", "ri", "du", "pen"}
	var words []string
	for _, a := range syllables {
		for _, b := range syllables {
			words = append(words, a+b)
			for _, c := range syllables {
				words = append(words, a+b+c)
			}
		}
	}
	return words
}()

func (b *bench) timed(n int, f func() error) (throughput, error) {
	before, err := measure.Of(b.pid)
	if err != nil {
		return throughput{}, err
	}
	start := time.Now()
	if err := f(); err != nil {
		return throughput{}, err
	}
	took := time.Since(start)
	after, err := measure.Of(b.pid)
	return throughput{
		Seconds: took.Seconds(), PerSecond: float64(n) / took.Seconds(),
		CPUMicros: float64((after.CPU - before.CPU).Microseconds()) / float64(n),
	}, err
}

func (b *bench) batch(ctx context.Context, paths []string) error {
	request := &trackerv1.TrackBatchRequest{}
	for _, path := range paths {
		request.Items = append(request.Items, &trackerv1.TrackChangeRequest{Path: path})
	}
	stream, err := b.client.TrackBatch(ctx, request)
	if err != nil {
		return err
	}
	for answered := 0; ; answered++ {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) && answered == len(paths) {
			return nil
		}
		if err != nil {
			return err
		}
		if answer.GetStatus().GetCode() != 0 || answer.GetResult().GetChangeId() == 0 {
			return fmt.Errorf("%s was not recorded: %v", paths[answer.GetIndex()], answer)
		}
	}
}

// one tracks changes one after the other and returns what each took.
func (b *bench) one(ctx context.Context, paths []string) (measure.Times, error) {
	if err := b.write(paths, 2); err != nil {
		return measure.Times{}, err
	}
	var all []time.Duration
	for _, path := range paths {
		start := time.Now()
		if _, err := b.client.TrackChange(ctx, &trackerv1.TrackChangeRequest{Path: path}); err != nil {
			return measure.Times{}, err
		}
		all = append(all, time.Since(start))
	}
	return measure.Sum(all), nil
}

// parallel tracks changes from more and more callers at once.
func (b *bench) parallel(ctx context.Context, paths []string) ([]throughput, error) {
	var all []throughput
	for i, callers := range []int{1, 4, 16, 64} {
		some := paths[:min(1000, len(paths))]
		if err := b.write(some, 3+i); err != nil {
			return nil, err
		}
		t, err := b.timed(len(some), func() error { return b.callers(ctx, some, callers) })
		if err != nil {
			return nil, err
		}
		t.Callers = callers
		all = append(all, t)
	}
	return all, nil
}

func (b *bench) callers(ctx context.Context, paths []string, n int) error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for caller := range n {
		all.Go(func() {
			for i := caller; i < len(paths) && errs[caller] == nil; i += n {
				_, errs[caller] = b.client.TrackChange(ctx, &trackerv1.TrackChangeRequest{Path: paths[i]})
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func (b *bench) reconcile(ctx context.Context) error {
	stream, err := b.client.Reconcile(ctx, &trackerv1.ReconcileRequest{})
	if err != nil {
		return err
	}
	for {
		if _, err := stream.Recv(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
