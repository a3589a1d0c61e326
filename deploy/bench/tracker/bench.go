package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/obby/go-services/deploy/bench/measure"
	trackerv1 "github.com/obby/go-services/proto/gen/obby/tracker/v1"
)

// tracked is what the rates of tracking are.
type tracked struct {
	Files         int           `json:"files"`
	Created       throughput    `json:"batch_of_new_files"`
	PlainCreated  *plain        `json:"plain_python_new_files,omitempty"`
	Modified      throughput    `json:"batch_of_modified_files"`
	PlainModified *plain        `json:"plain_python_modified_files,omitempty"`
	Single        measure.Times `json:"single_change"`
	Parallel      []throughput  `json:"changes_by_callers"`
	Reconcile     throughput    `json:"reconcile_unchanged"`
}

// throughput is how fast files were tracked.
type throughput struct {
	Callers   int     `json:"callers,omitempty"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"files_per_second"`
	CPUMicros float64 `json:"cpu_us_per_file"`
	// Behind is how long after the last answer the search index was complete.
	Behind float64 `json:"index_behind_seconds"`
}

// bench is a run of the command.
type bench struct {
	options
}

// singles is how many changes are tracked one after the other.
const singles = 200

// track measures how fast files are tracked. After each step the tracker comes to
// rest before the next.
func (b *bench) track(ctx context.Context) (*tracked, error) {
	s, err := b.service(ctx)
	if err != nil {
		return nil, err
	}
	defer s.close()
	r := &tracked{Files: b.files}
	all := make([]string, b.files)
	for i := range all {
		all[i] = filepath.Join(s.root, fmt.Sprintf("%02d", i%50), fmt.Sprintf("note-%d.md", i))
	}
	for _, step := range []func() error{
		func() error { return write(all, 0) },
		func() (err error) {
			r.Created, err = s.timed(ctx, len(all), func() error { return s.batch(ctx, all) })
			return err
		},
		func() (err error) { r.PlainCreated, err = b.plainly(ctx, all, r.Created); return err },
		func() error { return write(all, 1) },
		func() (err error) {
			r.Modified, err = s.timed(ctx, len(all), func() error { return s.batch(ctx, all) })
			return err
		},
		func() (err error) { r.PlainModified, err = b.plainly(ctx, all, r.Modified); return err },
		func() (err error) { r.Single, err = s.one(ctx, all[:min(singles, len(all))]); return err },
		func() (err error) { r.Parallel, err = s.parallel(ctx, all); return err },
		func() (err error) {
			r.Reconcile, err = s.timed(ctx, len(all), func() error { return s.reconcile(ctx) })
			return err
		},
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// timed measures what f does with n files, until the tracker is at rest.
func (s *service) timed(ctx context.Context, n int, f func() error) (throughput, error) {
	if _, err := s.settle(ctx); err != nil {
		return throughput{}, err
	}
	before, err := measure.Of(s.pid())
	if err != nil {
		return throughput{}, err
	}
	start := time.Now()
	if err := f(); err != nil {
		return throughput{}, err
	}
	took := time.Since(start)
	after, err := measure.Of(s.pid())
	if err != nil {
		return throughput{}, err
	}
	behind, err := s.settle(ctx)
	return throughput{
		Seconds: took.Seconds(), PerSecond: float64(n) / took.Seconds(),
		CPUMicros: float64((after.CPU - before.CPU).Microseconds()) / float64(n),
		Behind:    behind.Seconds(),
	}, err
}

// one tracks changes one after the other and returns what each took.
func (s *service) one(ctx context.Context, paths []string) (measure.Times, error) {
	if err := write(paths, 2); err != nil {
		return measure.Times{}, err
	}
	if _, err := s.settle(ctx); err != nil {
		return measure.Times{}, err
	}
	var all []time.Duration
	for _, path := range paths {
		start := time.Now()
		if _, err := s.client.TrackChange(ctx, &trackerv1.TrackChangeRequest{Path: path}); err != nil {
			return measure.Times{}, err
		}
		all = append(all, time.Since(start))
	}
	return measure.Sum(all), nil
}

// parallel tracks changes from more and more callers at once.
func (s *service) parallel(ctx context.Context, paths []string) ([]throughput, error) {
	var all []throughput
	for i, callers := range []int{1, 4, 16, 64} {
		some := paths[:min(1000, len(paths))]
		if err := write(some, 3+i); err != nil {
			return nil, err
		}
		t, err := s.timed(ctx, len(some), func() error { return s.callers(ctx, some, callers) })
		if err != nil {
			return nil, err
		}
		t.Callers = callers
		all = append(all, t)
	}
	return all, nil
}

func (s *service) callers(ctx context.Context, paths []string, n int) error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for caller := range n {
		all.Go(func() {
			for i := caller; i < len(paths) && errs[caller] == nil; i += n {
				_, errs[caller] = s.client.TrackChange(ctx, &trackerv1.TrackChangeRequest{Path: paths[i]})
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
