package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/obby/go-services/deploy/bench/measure"
)

const (
	smallBytes = 300
	largeBatch = 10_000 // the contract's limit
)

// large is what many small files take.
type large struct {
	Files     int            `json:"files"`
	Rest      memory         `json:"memory_at_rest"`
	RestRSS   measure.Figure `json:"resident_at_rest_mib"`
	Tracked   throughput     `json:"batches_of_new_files"`
	Peak      memory         `json:"memory_while_tracked_at_most"`
	PeakRSS   measure.Figure `json:"resident_while_tracked_mib"`
	Reconcile measure.Figure `json:"reconcile_unchanged_seconds"`
	Compared  memory         `json:"memory_while_reconciled_at_most"`
	End       memory         `json:"memory_at_the_end"`
}

// memory is what is resident, and what of it is no page of a file.
type memory struct {
	RSS  float64 `json:"resident_mib"`
	Anon float64 `json:"anonymous_mib"`
}

func (m memory) most(u measure.Usage) memory {
	return memory{max(m.RSS, mib(u.RSS)), max(m.Anon, mib(u.Anon))}
}

func mib(bytes int64) float64 { return float64(bytes>>10) / 1024 }

func (b *bench) many(ctx context.Context) (*large, error) {
	s, err := b.service(ctx)
	if err != nil {
		return nil, err
	}
	defer s.close()
	r := &large{Files: b.large}
	if r.Rest, err = s.memory(); err != nil {
		return nil, err
	}
	paths, err := smallFiles(s.root, b.large)
	if err != nil {
		return nil, err
	}
	r.Peak, err = s.most(func() error {
		r.Tracked, err = s.timed(ctx, len(paths), func() error {
			for some := range slices.Chunk(paths, largeBatch) {
				if err := s.batch(ctx, some); err != nil {
					return err
				}
			}
			return nil
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	var compared throughput
	r.Compared, err = s.most(func() error {
		compared, err = s.timed(ctx, len(paths), func() error { return s.reconcile(ctx) })
		return err
	})
	if err != nil {
		return nil, err
	}
	r.End, err = s.memory()
	r.RestRSS, r.PeakRSS, r.Reconcile = measure.AtMost(r.Rest.RSS, 15), measure.AtMost(r.Peak.RSS, 120), measure.AtMost(compared.Seconds, 5)
	return r, err
}

func (s *service) memory() (memory, error) {
	used, err := measure.Of(s.pid())
	return memory{}.most(used), err
}

// most returns the most memory that is seen while f runs.
func (s *service) most(f func() error) (most memory, err error) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() { // ends with f
		defer close(done)
		for {
			if used, err := measure.Of(s.pid()); err == nil {
				most = most.most(used)
			}
			select {
			case <-quit:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	err = f()
	close(quit)
	<-done
	return most, err
}

// smallFiles writes n files, 1,000 in a directory.
func smallFiles(root string, n int) ([]string, error) {
	paths := make([]string, n)
	for i := range paths {
		dir := filepath.Join(root, fmt.Sprint(i/1000))
		paths[i] = filepath.Join(dir, fmt.Sprintf("note-%d.md", i))
		if i%1000 == 0 {
			if err := os.Mkdir(dir, 0o755); err != nil {
				return nil, err
			}
		}
		if err := os.WriteFile(paths[i], []byte(note(i, 0)[:smallBytes]), 0o644); err != nil {
			return nil, err
		}
	}
	return paths, nil
}
