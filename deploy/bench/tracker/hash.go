package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/obby/go-services/deploy/bench/measure"
	trackerv1 "github.com/obby/go-services/proto/gen/obby/tracker/v1"
)

const (
	hashBytes  = 64 << 20 // of the large file, and of the batch in all
	batchFiles = 16
	hashRounds = 9
)

// hashed is how fast the tracker hashes files that the kernel holds in memory.
type hashed struct {
	LF   hashRates `json:"lf"`
	CRLF hashRates `json:"crlf"`
}

// hashRates are medians of rounds, in which the two take turns.
type hashRates struct {
	SHA256 float64 `json:"sha256_in_memory_mib_per_second"`
	File   float64 `json:"large_file_mib_per_second"`
	Batch  float64 `json:"batch_mib_per_second"`
	// Ratios are to crypto/sha256 on one core. BatchToAll is to it on all cores, by
	// as many callers as they are: what reading costs has no core to hide on there.
	Ratio      measure.Figure `json:"large_file_to_sha256"`
	BatchRatio measure.Figure `json:"batch_to_sha256"`
	BatchToAll float64        `json:"batch_to_sha256_on_all_cores"`
	Cores      measure.Figure `json:"cores_used_for_the_batch"`
}

func (b *bench) hash(ctx context.Context) (*hashed, error) {
	s, err := b.service(ctx)
	if err != nil {
		return nil, err
	}
	defer s.close()
	r := &hashed{}
	if r.LF, err = s.hashRates(ctx, "\n", 0.85); err != nil {
		return nil, err
	}
	r.CRLF, err = s.hashRates(ctx, "\r\n", 0.7)
	return r, err
}

func (s *service) hashRates(ctx context.Context, ending string, bar float64) (r hashRates, err error) {
	text := hashText(ending)
	parts := slices.Collect(slices.Chunk(text, len(text)/batchFiles+1))
	file, err := s.files("large", text)
	if err != nil {
		return r, err
	}
	batch, err := s.files("part", parts...)
	if err != nil {
		return r, err
	}
	cores := runtime.NumCPU()
	var one, all, large, many rates
	var used []float64
	for range hashRounds {
		one.add(func() error { sha256.Sum256(text); return nil })
		large.add(func() error { return s.sum(ctx, file, 1) })
		all.add(func() error {
			return inParallel(cores, len(parts), func(i int) error { sha256.Sum256(parts[i]); return nil })
		})
		many.add(func() error {
			share, err := s.cores(func() error { return s.sum(ctx, batch, cores) })
			used = append(used, share)
			return err
		})
	}
	r = hashRates{SHA256: one.median(), File: large.median(), Batch: many.median(), BatchToAll: many.to(all)}
	r.Ratio = measure.AtLeast(large.to(one), bar)
	r.BatchRatio = measure.AtLeast(many.to(one), bar)
	r.Cores = measure.AtLeast(median(used), 0.9*float64(cores))
	return r, errors.Join(one.err, large.err, all.err, many.err)
}

// cores returns how many cores the tracker used while f ran.
func (s *service) cores(f func() error) (float64, error) {
	before, err := measure.Of(s.pid())
	if err != nil {
		return 0, err
	}
	start := time.Now()
	err = f()
	took := time.Since(start)
	after, usageErr := measure.Of(s.pid())
	return (after.CPU - before.CPU).Seconds() / took.Seconds(), errors.Join(err, usageErr)
}

// files writes texts.
func (s *service) files(name string, texts ...[]byte) ([]string, error) {
	var paths []string
	for i, text := range texts {
		paths = append(paths, filepath.Join(s.root, fmt.Sprintf("%s-%d.md", name, i)))
		if err := os.WriteFile(paths[i], text, 0o644); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// sum has the tracker hash files, by so many callers.
func (s *service) sum(ctx context.Context, paths []string, callers int) error {
	return inParallel(callers, len(paths), func(i int) error {
		_, err := s.client.GetContentHash(ctx, &trackerv1.GetContentHashRequest{Source: &trackerv1.GetContentHashRequest_Path{Path: paths[i]}})
		return err
	})
}

// inParallel calls f for each of n things from so many goroutines.
func inParallel(goroutines, n int, f func(int) error) error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for first := range goroutines {
		all.Go(func() {
			for i := first; i < n; i += goroutines {
				errs[i] = f(i)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// hashText is a text of notes with such line ends.
func hashText(ending string) []byte {
	var page bytes.Buffer
	for i := 0; page.Len() < 1<<20; i++ {
		page.WriteString(note(i, 0))
	}
	lines := bytes.ReplaceAll(page.Bytes(), []byte("\n"), []byte(ending))
	return bytes.Repeat(lines, hashBytes/len(lines))
}

// rates are how fast something was, round by round, in MiB a second.
type rates struct {
	all []float64
	err error
}

func (r *rates) add(f func() error) {
	start := time.Now()
	r.err = errors.Join(r.err, f())
	r.all = append(r.all, hashBytes/float64(1<<20)/time.Since(start).Seconds())
}

func (r *rates) median() float64 { return median(r.all) }

// to returns the median of each round's ratio.
func (r *rates) to(other rates) float64 {
	var ratios []float64
	for i := range r.all {
		ratios = append(ratios, r.all[i]/other.all[i])
	}
	return median(ratios)
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
