package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/obby/go-services/deploy/bench/measure"
)

// stormDirectories is how many directories the files of a storm are spread over.
const stormDirectories = 50

type stormReport struct {
	Files    int                  `json:"files"`
	Rounds   int                  `json:"rounds"`
	Events   int64                `json:"kernel_notifications"`
	Readers  map[string]stormRead `json:"readers"`
	Watchdog *measure.Figure      `json:"cpu_of_watchdogs,omitempty"`
	Raw      measure.Figure       `json:"cpu_of_raw_reader"`
}

type stormRead struct {
	counted
	Seconds   float64 `json:"seconds_to_last_file"`
	Writer    float64 `json:"writer_seconds"`
	CPUMillis float64 `json:"cpu_ms"`
	PerEvent  float64 `json:"cpu_us_per_notification"`
}

// stormRounds is how often each reader gets a storm, in turn with the others. What
// counts is the one that took it the least CPU time: whatever else the machine does
// only adds to it.
const stormRounds = 3

func (b *bench) storm(ctx context.Context) (*stormReport, error) {
	r := &stormReport{Files: b.files, Rounds: stormRounds, Readers: map[string]stormRead{}}
	for range stormRounds {
		for name, start := range b.readers() {
			read, err := b.stormOf(ctx, start)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if best, ok := r.Readers[name]; !ok || read.CPUMillis < best.CPUMillis {
				r.Readers[name] = read
			}
		}
	}
	raw := r.Readers["raw"]
	r.Events = raw.Events
	for name, read := range r.Readers {
		read.PerEvent = read.CPUMillis * 1000 / float64(r.Events)
		r.Readers[name] = read
	}
	ours := r.Readers["file-watcher"].CPUMillis
	r.Raw = measure.AtMost(ours/raw.CPUMillis, 1.5)
	if dog, ok := r.Readers["watchdog"]; ok {
		ratio := measure.AtMost(ours/dog.CPUMillis, 1.0/3)
		r.Watchdog = &ratio
	}
	return r, nil
}

func (b *bench) stormOf(ctx context.Context, start func(context.Context, string) (reader, error)) (stormRead, error) {
	root, err := b.tree(stormDirectories)
	if err != nil {
		return stormRead{}, err
	}
	defer os.RemoveAll(root)
	reader, err := start(ctx, root)
	if err != nil {
		return stormRead{}, err
	}
	defer reader.close()
	before, err := measure.Of(reader.pid())
	if err != nil {
		return stormRead{}, err
	}
	begin := time.Now()
	writer := helperCommand("write", root, "0", strconv.Itoa(b.files))
	written := make(chan float64, 1)
	go func() { // ends with the writer
		if err := writer.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "writer:", err)
		}
		written <- time.Since(begin).Seconds()
	}()
	read := stormRead{}
	if read.counted, err = reader.await(ctx, b.files); err != nil {
		return read, err
	}
	read.Seconds = time.Since(begin).Seconds()
	read.Writer = <-written
	after, err := measure.Of(reader.pid())
	read.CPUMillis = measure.Milliseconds(after.CPU - before.CPU)
	return read, err
}

// drainFiles make three notifications each, and a fourth for watchdog, which asks
// for more: the kernel's queue of
// 16,384 holds them.
const (
	drainFiles  = 3000
	drainRounds = 3
)

type drainReport struct {
	Events  int64              `json:"kernel_notifications"`
	Readers map[string]float64 `json:"notifications_per_second"`
	Ours    measure.Figure     `json:"file_watcher"`
}

func (b *bench) drain(ctx context.Context) (*drainReport, error) {
	r := &drainReport{Readers: map[string]float64{}}
	seconds := map[string]float64{}
	for name, start := range b.readers() {
		best, events, err := b.drainOf(ctx, start)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		seconds[name] = best
		if events > 0 {
			r.Events = events
		}
	}
	for name, best := range seconds {
		r.Readers[name] = float64(r.Events) / best
	}
	r.Ours = measure.AtLeast(r.Readers["file-watcher"], 150_000)
	return r, nil
}

// drainOf returns the shortest time in which the reader emptied the queue.
func (b *bench) drainOf(ctx context.Context, start func(context.Context, string) (reader, error)) (best float64, events int64, err error) {
	root, err := b.tree(stormDirectories)
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(root)
	reader, err := start(ctx, root)
	if err != nil {
		return 0, 0, err
	}
	defer reader.close()
	queue, err := queueOf(reader.pid())
	if err != nil {
		return 0, 0, err
	}
	defer unix.Close(queue)
	var last counted
	for round := range drainRounds {
		from, to := round*drainFiles, (round+1)*drainFiles
		took, err := drainOnce(reader.pid(), queue, func() error {
			return helperCommand("write", root, strconv.Itoa(from), strconv.Itoa(to)).Run()
		}, func() error {
			now, err := reader.await(ctx, to)
			events, last = now.Events-last.Events, now
			return err
		})
		if err != nil {
			return 0, 0, err
		}
		if best == 0 || took.Seconds() < best {
			best = took.Seconds()
		}
	}
	return best, events, nil
}

func drainOnce(pid, queue int, fill, await func() error) (time.Duration, error) {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return 0, err
	}
	if err := fill(); err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		return 0, err
	}
	awaited := make(chan error, 1)
	go func() { awaited <- await() }() // ends with the reader
	for {
		left, err := unix.IoctlGetInt(queue, unix.TIOCINQ)
		if err != nil {
			return 0, err
		}
		if left == 0 {
			took := time.Since(begin)
			return took, <-awaited
		}
	}
}

// queueOf returns a descriptor of another process's inotify instance.
func queueOf(pid int) (int, error) {
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return 0, err
	}
	for _, link := range links {
		if target, _ := os.Readlink(link); target != "anon_inode:inotify" {
			continue
		}
		fd, err := strconv.Atoi(filepath.Base(link))
		if err != nil {
			return 0, err
		}
		process, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			return 0, err
		}
		defer unix.Close(process)
		return unix.PidfdGetfd(process, fd, 0)
	}
	return 0, fmt.Errorf("process %d has no inotify instance", pid)
}
