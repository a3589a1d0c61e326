package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/obby/go-services/deploy/bench/measure"
)

// diffed is what the diff of a million lines with 1,000 edits takes.
type diffed struct {
	Seconds measure.Figure `json:"seconds"`
	Memory  measure.Figure `json:"memory_to_the_file"` // both files excluded, garbage included
}

// diff runs the benchmark of the tracker's own module: what is above the diff in
// an RPC, and the size of a message, would hide it. Each run is a process, so that
// no garbage of the one before counts.
func (b *bench) diff(ctx context.Context) (*diffed, error) {
	var seconds, memory []float64
	for range 5 {
		cmd := exec.CommandContext(ctx, "go", "test", "-tags", "sqlite_fts5", "-run", "^$", "-bench", "^BenchmarkDiff$", "-benchtime", "1x", "./internal/track")
		cmd.Dir = b.source
		out, err := cmd.CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", cmd, err, out)
		}
		nanos, err := metric(string(out), "ns/op")
		if err != nil {
			return nil, err
		}
		files, err := metric(string(out), "files")
		if err != nil {
			return nil, err
		}
		seconds, memory = append(seconds, nanos/1e9), append(memory, files)
	}
	return &diffed{measure.AtMost(median(seconds), 0.5), measure.AtMost(median(memory), 4)}, nil
}

// metric finds a benchmark's figure by its unit.
func metric(out, unit string) (float64, error) {
	words := strings.Fields(out)
	for i, word := range words {
		if word == unit && i > 0 {
			return strconv.ParseFloat(words[i-1], 64)
		}
	}
	return 0, fmt.Errorf("no %s in what the benchmark printed:\n%s", unit, out)
}
