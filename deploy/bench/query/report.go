package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/obby/go-services/deploy/bench/measure"
	"github.com/obby/go-services/deploy/run/stack"
)

// figures are those of one database.
type figures struct {
	Path     string  `json:"path"`
	Versions int     `json:"versions"`
	Files    int     `json:"files"`
	MiB      float64 `json:"size_mib"`
	Made     float64 `json:"seconds_to_make"`
	Indexed  float64 `json:"seconds_to_index"`

	RestMiB     *measure.Figure `json:"at_rest_mib,omitempty"`
	RestAnonMiB float64         `json:"at_rest_without_files_mib,omitempty"`
	MostMiB     *measure.Figure `json:"at_most_mib,omitempty"`
	MostAnonMiB float64         `json:"at_most_without_files_mib,omitempty"`
	Calls       map[string]load `json:"calls,omitempty"`
}

// growth is a call's cost in one database by its cost in another.
type growth struct {
	Cost measure.Figure `json:"time_of_a_call"`
	CPU  float64        `json:"service_cpu_of_a_call"`
	P50  float64        `json:"p50"`
	P99  float64        `json:"p99"`
}

// measure makes a database and asks it everything.
func (o options) measure(ctx context.Context, size extent) (*figures, error) {
	f := &figures{Versions: size.versions, Files: size.files, Calls: map[string]load{}}
	start := time.Now()
	var err error
	if f.Path, err = generate(ctx, o.data, size); err != nil {
		return nil, err
	}
	f.Made = time.Since(start).Seconds()
	start = time.Now()
	if err := index(ctx, o.bin, f.Path); err != nil {
		return nil, err
	}
	f.Indexed = time.Since(start).Seconds()
	info, err := os.Stat(f.Path)
	if err != nil {
		return nil, err
	}
	f.MiB = mebibytes(info.Size())
	if o.onlyPrepare {
		return f, nil
	}
	return f, o.ask(ctx, f)
}

// ask starts the query-service and makes every kind of call.
func (o options) ask(ctx context.Context, f *figures) error {
	s, err := look(ctx, f.Path)
	if err != nil {
		return err
	}
	var last string
	query, err := stack.StartProcess(ctx, filepath.Join(o.bin, stack.Query), stack.Query,
		[]string{"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--http", "127.0.0.1:0", "--database", f.Path},
		func(_, line string) { last = line })
	if err != nil {
		return fmt.Errorf("%w; its last word: %s", err, last)
	}
	defer query.Kill()
	conn, err := dial(query.Addr["grpc"])
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := measure.Rest(ctx, query.PID()); err != nil {
		return err
	}
	rest, err := measure.Of(query.PID())
	if err != nil {
		return err
	}
	atRest := measure.AtMost(mebibytes(rest.RSS), 20)
	f.RestMiB, f.RestAnonMiB = &atRest, mebibytes(rest.Anon)
	most := watch(query.PID())
	for _, scenario := range s.scenarios() {
		if !o.wanted(scenario.name) {
			continue
		}
		fmt.Fprintln(os.Stderr, scenario.name)
		if f.Calls[scenario.name], err = press(ctx, target{conn, "http://" + query.Addr["http"], query.PID()}, scenario, o.lasts()); err != nil {
			return fmt.Errorf("%w; the service's last word: %s", err, last)
		}
	}
	highest := most()
	atMost := measure.AtMost(mebibytes(highest.RSS), 80)
	f.MostMiB, f.MostAnonMiB = &atMost, mebibytes(highest.Anon)
	return nil
}

// watch looks at a process's memory ten times a second, until the function that it
// returns asks for the most.
func watch(pid int) (most func() measure.Usage) {
	stop, result := make(chan struct{}), make(chan measure.Usage)
	go func() { // ends with the answer
		var highest measure.Usage
		for {
			if now, err := measure.Of(pid); err == nil {
				highest.RSS, highest.Anon = max(highest.RSS, now.RSS), max(highest.Anon, now.Anon)
			}
			select {
			case <-stop:
				result <- highest
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return func() measure.Usage { close(stop); return <-result }
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

// maxGrowth is what a call may cost in ten times the versions.
const maxGrowth = 1.5

func compare(first, last *figures) map[string]growth {
	all := map[string]growth{}
	for name, before := range first.Calls {
		after, ok := last.Calls[name]
		if !ok || before.Times == nil || after.Times == nil {
			continue
		}
		all[name] = growth{
			Cost: measure.AtMost(before.PerSecond/after.PerSecond, maxGrowth),
			CPU:  after.CPUMicros / before.CPUMicros,
			P50:  after.Times.P50 / before.Times.P50, P99: after.Times.P99 / before.Times.P99,
		}
	}
	return all
}
