package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/obby/go-services/deploy/run/stack"
	trackerv1 "github.com/obby/go-services/proto/gen/obby/tracker/v1"
)

// loaded is a content-tracker alone, driven by callers who each change files of
// their own and have every change tracked.
type loaded struct {
	root, database string
	process        *stack.Process
	client         trackerv1.ContentTrackerServiceClient
	compared       chan struct{} // gets a value when a start has compared the root with the disk

	mu    sync.Mutex // guards acked
	acked []*trackerv1.TrackChangeResponse
}

const (
	loadCallers = 8  // at once, so that they share commits
	loadFiles   = 12 // of each caller
	batchEvery  = 10 // one call in so many is a TrackBatch
)

// startLoaded starts a tracker on a new folder, with a database in dir.
func startLoaded(t *testing.T, dir string) *loaded {
	t.Helper()
	l := &loaded{root: t.TempDir(), database: filepath.Join(dir, "obby.db"), compared: make(chan struct{}, 1)}
	write(t, filepath.Join(l.root, ".obbywatch"), "*.md\n")
	log := &logBook{}
	t.Cleanup(func() { log.check(t) })
	var err error
	l.process, err = stack.StartProcess(t.Context(), filepath.Join(binaries(t), stack.Tracker), stack.Tracker,
		[]string{"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--database", l.database, "--root", l.root},
		func(service, line string) {
			log.line(service, line)
			if strings.Contains(line, "root compared with the disk") {
				l.compared <- struct{}{}
			}
		})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.process.Kill() })
	l.ready(t)
	return l
}

// restart starts the killed tracker again.
func (l *loaded) restart(t *testing.T) {
	t.Helper()
	if err := l.process.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.ready(t)
}

// ready waits until the tracker has looked at the disk. Each start gets a client of
// its own: one that has seen its server die waits before it tries again.
func (l *loaded) ready(t *testing.T) {
	t.Helper()
	select {
	case <-l.compared:
	case <-l.process.Done():
		t.Fatal("the tracker ended while it compared its root with the disk")
	case <-time.After(waitLimit):
		t.Fatal("the tracker did not compare its root with the disk")
	}
	conn, err := grpc.NewClient(l.process.Addr["grpc"], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	l.client = trackerv1.NewContentTrackerServiceClient(conn)
}

// revive looks at what the dead tracker has left, starts it again and compares what
// it then knows with the disk.
func (l *loaded) revive(t *testing.T, round int, acked []*trackerv1.TrackChangeResponse) {
	t.Helper()
	inspect(t, l.database, func(h *history) {
		h.sound(t)
		h.holds(t, acked)
	})
	l.restart(t)
	if diff := cmp.Diff(textsBelow(t, l.root), storedIn(t, l.database)); diff != "" {
		t.Errorf("disk and database (-disk +stored):\n%s", diff)
	}
	if t.Failed() {
		t.Fatalf("in round %d", round)
	}
}

// until has all callers at work until stop kills the tracker under them, and
// returns what was acknowledged.
func (l *loaded) until(t *testing.T, round int, stop func()) []*trackerv1.TrackChangeResponse {
	t.Helper()
	l.acked = nil
	var callers sync.WaitGroup
	started := make(chan struct{}, loadCallers)
	for caller := range loadCallers {
		callers.Go(func() { // ends when the tracker does
			rng := rand.New(rand.NewPCG(uint64(round), uint64(caller)))
			for i := 0; l.step(t, caller, i, rng) == nil; i++ {
				if i == 0 {
					started <- struct{}{}
				}
			}
		})
	}
	<-started
	stop()
	callers.Wait()
	return l.acked
}

// step makes some change and has it tracked. An error is that of a tracker that is
// gone; any other fails the test.
func (l *loaded) step(t *testing.T, caller, i int, rng *rand.Rand) error {
	name := func() string {
		return filepath.Join(l.root, fmt.Sprint("caller", caller), fmt.Sprintf("f%d.md", rng.IntN(loadFiles)))
	}
	if i%batchEvery == batchEvery-1 {
		return l.batch(t, rng, name)
	}
	path, old := name(), ""
	switch rng.IntN(6) {
	case 0:
		_ = os.Remove(path) // what is not there cannot be removed or renamed: nothing happens
	case 1:
		old = name()
		if os.Rename(old, path) != nil {
			old = ""
		}
	default:
		write(t, path, paragraph(rng))
	}
	answer, err := l.client.TrackChange(context.Background(), &trackerv1.TrackChangeRequest{Path: path, OldPath: old})
	return l.note(t, answer, err)
}

func (l *loaded) batch(t *testing.T, rng *rand.Rand, name func() string) error {
	request := &trackerv1.TrackBatchRequest{}
	for range 20 {
		path := name()
		write(t, path, paragraph(rng))
		request.Items = append(request.Items, &trackerv1.TrackChangeRequest{Path: path})
	}
	stream, err := l.client.TrackBatch(context.Background(), request)
	for err == nil {
		var answer *trackerv1.TrackBatchResponse
		if answer, err = stream.Recv(); err == nil {
			err = l.note(t, answer.GetResult(), status.FromProto(answer.GetStatus()).Err())
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// note keeps an acknowledgement. A path that never had a file is not found.
func (l *loaded) note(t *testing.T, answer *trackerv1.TrackChangeResponse, err error) error {
	switch code := codeOf(err); code {
	case "OK":
		l.mu.Lock()
		l.acked = append(l.acked, answer)
		l.mu.Unlock()
	case "NotFound":
	case "Unavailable":
		return err
	default:
		t.Errorf("tracked with %v", err)
		return err
	}
	return nil
}

// paragraph is a text of some lines, some of which it shares with others.
func paragraph(rng *rand.Rand) string {
	var text bytes.Buffer
	for range 3 + rng.IntN(40) {
		fmt.Fprintln(&text, "line", rng.IntN(50))
	}
	fmt.Fprintln(&text, "unique", rng.Uint64())
	return text.String()
}
