package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/obby/go-services/deploy/bench/measure"
	watcherv1 "github.com/obby/go-services/proto/gen/obby/watcher/v1"
)

type latencyReport struct {
	Debounced measure.Times     `json:"beyond_a_quiet_delay_of_500ms"`
	Immediate measure.Times     `json:"without_quiet_delay"`
	P99       [2]measure.Figure `json:"p99_ms"`
}

func (b *bench) latency(ctx context.Context) (*latencyReport, error) {
	r := &latencyReport{}
	for i, s := range []struct {
		debounce time.Duration
		samples  int
		times    *measure.Times
	}{{500 * time.Millisecond, 100, &r.Debounced}, {0, 200, &r.Immediate}} {
		all, err := b.latencies(ctx, s.debounce, s.samples)
		if err != nil {
			return nil, err
		}
		*s.times = measure.Sum(all)
		r.P99[i] = measure.AtMost(s.times.P99, 3)
	}
	return r, nil
}

func (b *bench) latencies(ctx context.Context, debounce time.Duration, n int) ([]time.Duration, error) {
	root, err := b.tree(1)
	if err != nil {
		return nil, err
	}
	w, err := b.watcher(ctx)
	if err != nil {
		return nil, err
	}
	defer w.close()
	if _, err := w.watch(ctx, root, debounce); err != nil {
		return nil, err
	}
	var all []time.Duration
	for i := range n {
		path := filepath.Join(root, "0", "0", fmt.Sprintf("%d.md", i))
		if err := os.WriteFile(path, []byte("hello\n"), 0o644); err != nil {
			return nil, err
		}
		closed := time.Now()
		if _, err := w.await(ctx, i+1); err != nil {
			return nil, err
		}
		all = append(all, time.Since(closed)-debounce)
		if debounce == 0 {
			time.Sleep(5 * time.Millisecond) // the machine is to be idle again: a single change is measured
		}
	}
	return all, nil
}

type streamReport struct {
	Events int            `json:"events"`
	One    measure.Figure `json:"events_per_second_to_one"`
	Ten    measure.Figure `json:"events_per_second_to_each_of_ten"`
}

func (b *bench) stream(ctx context.Context) (*streamReport, error) {
	root, err := b.tree(stormDirectories)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(root)
	w, err := b.watcher(ctx)
	if err != nil {
		return nil, err
	}
	defer w.close()
	if _, err := w.watch(ctx, root, 0); err != nil {
		return nil, err
	}
	if err := helperCommand("write", root, "0", strconv.Itoa(b.files)).Run(); err != nil {
		return nil, err
	}
	if _, err := w.await(ctx, b.files); err != nil {
		return nil, err
	}
	r := &streamReport{Events: b.files}
	one, err := subscribers(1, w.process.Addr["grpc"], w.token, b.files)
	if err != nil {
		return nil, err
	}
	ten, err := subscribers(10, w.process.Addr["grpc"], w.token, b.files)
	r.One, r.Ten = measure.AtLeast(one, 100_000), measure.AtLeast(ten, 20_000)
	return r, err
}

// subscribers has n processes read the journal at once, and returns how many events
// a second the slowest got.
func subscribers(n int, addr, token string, events int) (float64, error) {
	slowest := 0.0
	errs := make([]error, n)
	seconds := make([]float64, n)
	done := make(chan int)
	for i := range n {
		go func() { // ends with its process
			out, err := helperCommand("subscribe", addr, token, strconv.Itoa(events)).Output()
			if err == nil {
				seconds[i], err = strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
			}
			errs[i] = err
			done <- i
		}()
	}
	for range n {
		slowest = max(slowest, seconds[<-done])
	}
	return float64(events) / slowest, errors.Join(errs...)
}

// subscribe reads so many events and prints the seconds that it took.
func subscribe(addr, token, events string) error {
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	stream, err := watcherv1.NewFileWatcherServiceClient(conn).StreamEvents(context.Background(), &watcherv1.StreamEventsRequest{ResumeToken: token})
	if err != nil {
		return err
	}
	if _, err := stream.Recv(); err != nil { // ready
		return err
	}
	n, err := strconv.Atoi(events)
	start := time.Now()
	for i := 0; i < n && err == nil; i++ {
		_, err = stream.Recv()
	}
	fmt.Println(time.Since(start).Seconds())
	return err
}

type startReport struct {
	Files       int            `json:"files"`
	Directories int            `json:"directories"`
	Seconds     measure.Figure `json:"seconds"`
	Directory   measure.Figure `json:"bytes_per_directory"`
	File        float64        `json:"bytes_per_known_file"`
	Pending     measure.Figure `json:"bytes_per_pending_change"`
}

// Sizes of the trees of start.
const (
	startDirectories = 5000
	startFiles       = 100_000
	manyDirectories  = 50_000
	pendingFiles     = 50_000
)

func (b *bench) start(ctx context.Context) (*startReport, error) {
	r := &startReport{Files: startFiles, Directories: startDirectories}
	full, err := b.tree(startDirectories)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(full)
	if err := helperCommand("write", full, "0", strconv.Itoa(startFiles)).Run(); err != nil {
		return nil, err
	}
	took, known, err := b.growth(ctx, full, func() error { return nil })
	if err != nil {
		return nil, err
	}
	r.Seconds = measure.AtMost(took.Seconds(), 2)
	empty, err := b.tree(manyDirectories)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(empty)
	_, directories, err := b.growth(ctx, empty, func() error { return nil })
	if err != nil {
		return nil, err
	}
	each := directories / manyDirectories
	r.Directory = measure.AtMost(each, 500)
	r.File = (known - each*startDirectories) / startFiles
	few, err := b.tree(stormDirectories)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(few)
	_, pending, err := b.growth(ctx, few, func() error {
		return helperCommand("write", few, "0", strconv.Itoa(pendingFiles)).Run()
	})
	r.Pending = measure.AtMost(pending/pendingFiles, 200)
	return r, err
}

// growth starts a watch that never settles, does something, and returns how long
// the start took and by how many bytes the watcher's own memory grew.
func (b *bench) growth(ctx context.Context, root string, then func() error) (time.Duration, float64, error) {
	w, err := b.watcher(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer w.close()
	before, err := measure.Of(w.pid())
	if err != nil {
		return 0, 0, err
	}
	took, err := w.watch(ctx, root, time.Hour)
	if err != nil {
		return 0, 0, err
	}
	if err := then(); err != nil {
		return 0, 0, err
	}
	time.Sleep(3 * time.Second) // for what was notified to be taken, and for garbage to be given back: nothing tells
	after, err := measure.Of(w.pid())
	return took, float64(after.Anon - before.Anon), err
}

type restReport struct {
	Resident measure.Figure `json:"resident_mib"`
	Own      float64        `json:"of_which_not_the_program_mib"`
	CPU      measure.Figure `json:"cpu_ms_in_10s"`
	Wakeups  int            `json:"wakeups_in_10s"`
}

func (b *bench) rest(ctx context.Context) (*restReport, error) {
	root, err := b.tree(1)
	if err != nil {
		return nil, err
	}
	w, err := b.watcher(ctx, "--root", root)
	if err != nil {
		return nil, err
	}
	defer w.close()
	w.conn.Close() // a subscriber gets heartbeats
	before, err := measure.Of(w.pid())
	if err != nil {
		return nil, err
	}
	switches := wakeups(w.pid())
	time.Sleep(10 * time.Second)
	after, err := measure.Of(w.pid())
	const mib = 1 << 20
	return &restReport{
		Resident: measure.AtMost(float64(after.RSS)/mib, 12), Own: float64(after.Anon) / mib,
		CPU:     measure.AtMost(measure.Milliseconds(after.CPU-before.CPU), 0),
		Wakeups: wakeups(w.pid()) - switches,
	}, err
}

// wakeups returns how often threads of a process have waited for something.
func wakeups(pid int) (n int) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	for _, task := range tasks {
		file, err := os.Open(task)
		if err != nil {
			continue // a thread that has ended
		}
		for lines := bufio.NewScanner(file); lines.Scan(); {
			if value, ok := strings.CutPrefix(lines.Text(), "voluntary_ctxt_switches:"); ok {
				count, _ := strconv.Atoi(strings.TrimSpace(value))
				n += count
			}
		}
		file.Close()
	}
	return n
}
