package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

//go:embed plain.py
var plainProgram string

// plain is the rate of the fallback in pure Python, and how many times as fast the
// content-tracker is, on the same files in the same run.
type plain struct {
	Normal      float64 `json:"files_per_second_synchronous_normal"`
	Full        float64 `json:"files_per_second_synchronous_full"`
	TimesNormal float64 `json:"ours_times_normal"`
	TimesFull   float64 `json:"ours_times_full"` // ours commits with FULL
}

// plainly tracks the files with the fallback, into a database for each durability.
func (b *bench) plainly(ctx context.Context, paths []string, ours throughput) (*plain, error) {
	if b.python == "" {
		return nil, nil
	}
	var rates [2]float64
	for i, synchronous := range []string{"NORMAL", "FULL"} {
		database := filepath.Join(b.dir, "plain-"+synchronous+".db")
		cmd := exec.CommandContext(ctx, b.python, "-c", plainProgram, database, synchronous)
		cmd.Env = append(os.Environ(), "PYTHONPATH="+b.clients)
		cmd.Stdin = strings.NewReader(strings.Join(paths, "\n"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", b.python, err, out)
		}
		seconds, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		if err != nil {
			return nil, err
		}
		rates[i] = float64(len(paths)) / seconds
	}
	return &plain{rates[0], rates[1], ours.PerSecond / rates[0], ours.PerSecond / rates[1]}, nil
}
