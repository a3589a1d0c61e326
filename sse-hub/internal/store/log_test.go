package store

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/sse-hub/internal/hub"
	"github.com/obby/go-services/sse-hub/internal/logtest"
)

var plenty = hub.Retention{Events: 100_000, Bytes: 1 << 30, Age: time.Hour}

func options(dir string, r hub.Retention, memory int64) Options {
	return Options{Dir: dir, Retention: r, Memory: memory, Log: slog.New(slog.DiscardHandler), Failed: func(error) {}}
}

func open(t *testing.T, o Options) *Log {
	t.Helper()
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func shut(t *testing.T, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestContract(t *testing.T) {
	for name, memory := range map[string]int64{"from memory": 64 << 20, "from disk": 0, "from both": 4 << 10} {
		t.Run(name, func(t *testing.T) {
			logtest.Run(t, func(t *testing.T, r hub.Retention) hub.Log {
				l := open(t, options(t.TempDir(), r, memory))
				t.Cleanup(func() { shut(t, l) })
				return l
			})
		})
	}
}

// Case 66: what was stored is there after a restart, under the same ids, and the
// keys with it.
func TestRestart(t *testing.T) {
	o := options(t.TempDir(), plenty, 1<<20)
	o.Retention.Bytes = 1 << 20 // several segments
	l := open(t, o)
	var want []*hub.Event
	for i := range 3000 {
		want = append(want, logtest.Append(t, l, fmt.Sprint(i, strings.Repeat("x", i%100)))...)
	}
	if len(l.segments) < 3 {
		t.Fatalf("%d segments: the test is about several", len(l.segments))
	}
	for range 2 {
		before, _ := l.Bounds()
		shut(t, l)
		l = open(t, o)
		after, _ := l.Bounds()
		before.Memory = 0 // nothing is read before it is asked for
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("bounds (-before +after):\n%s", diff)
		}
		logtest.Same(t, want[1500:], logtest.All(t, l, 1500, 256))
	}
	keys := map[string]hub.Receipt{}
	if err := l.Recall(100, func(topic, key string, r hub.Receipt) { keys[topic+" "+key] = r }); err != nil {
		t.Fatal(err)
	}
	last := want[len(want)-1]
	if diff := cmp.Diff(hub.Receipt{ID: last.ID, Receivers: 7}, keys[last.Topic+" "+last.Key]); diff != "" || len(keys) != 100 {
		t.Errorf("%d keys, the last (-want +got):\n%s", len(keys), diff)
	}
	shut(t, l)
}

// Everything expires, the order goes on.
func TestSequenceOutlivesItsEvents(t *testing.T) {
	o := options(t.TempDir(), plenty, 0)
	l := open(t, o)
	events := logtest.Append(t, l, "one", "two")
	shut(t, l)
	o.Retention.Age = time.Nanosecond
	l = open(t, o)
	next := logtest.Append(t, l, "three")
	if next[0].ID != strings.TrimSuffix(events[1].ID, "2")+"3" {
		t.Errorf("the next id is %s", next[0].ID)
	}
	shut(t, l)
}

// Damage that appears while the log is open is answered as a gap, never for ever.
func TestDamageUnderWay(t *testing.T) {
	o := options(t.TempDir(), plenty, 0)
	l := open(t, o)
	for range 100 {
		logtest.Append(t, l, "x")
	}
	if _, err := l.active().file.WriteAt([]byte("harm"), int64(headerBytes)+frameBytes+4); err != nil {
		t.Fatal(err)
	}
	if _, err := l.After(0, 10); !errors.Is(err, hub.ErrOvertaken) {
		t.Errorf("error is %v", err)
	}
	b, _ := l.Bounds()
	if got := len(logtest.All(t, l, b.Oldest-1, 100)); b.Oldest == 1 || got < 50 {
		t.Errorf("%d are left, from %d on", got, b.Oldest)
	}
	shut(t, l)
}

// A write that fails ends it: the log does not pretend.
func TestFailureIsFinal(t *testing.T) {
	var told error
	o := options(t.TempDir(), plenty, 1<<20)
	o.Failed = func(err error) { told = err }
	l := open(t, o)
	want := logtest.Append(t, l, "one")
	healthy := l.active().file
	l.active().file = closed(t)
	bounds, _ := l.Bounds()
	two := hub.NewEvent(bounds.Epoch, hub.Event{Seq: 2, Topic: "t", Type: "message"})
	for range 2 {
		if err := l.Append([]*hub.Event{two}); err == nil || !strings.Contains(err.Error(), "start the hub again") {
			t.Errorf("error is %v", err)
		}
		l.active().file = healthy // too late
	}
	if told == nil {
		t.Error("nobody was told")
	}
	logtest.Same(t, want, logtest.All(t, l, 0, 10)) // and reading goes on
	shut(t, l)
}

func closed(t *testing.T) *os.File {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "closed"))
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestOneOwner(t *testing.T) {
	o := options(t.TempDir(), plenty, 0)
	l := open(t, o)
	if _, err := Open(o); err == nil || !strings.Contains(err.Error(), "another hub") {
		t.Errorf("a second owner: %v", err)
	}
	shut(t, l)
	shut(t, open(t, o))
}

// Retention takes files away, too.
func TestFilesGo(t *testing.T) {
	o := options(t.TempDir(), hub.Retention{Events: 100_000, Bytes: 1 << 20, Age: time.Hour}, 0)
	l := open(t, o)
	for range 400 {
		logtest.Append(t, l, strings.Repeat("x", 10<<10))
	}
	names, err := segmentNames(o.Dir)
	if err != nil || len(names) != len(l.segments) || len(names) > 16+2 {
		t.Errorf("%d files, %d segments, %v", len(names), len(l.segments), err)
	}
	shut(t, l)
}

// Case 67: readers that want the same wait for one read, and share it.
func TestReadersShare(t *testing.T) {
	l := open(t, options(t.TempDir(), plenty, 0))
	for range 40 {
		logtest.Append(t, l, "x")
	}
	first, err := l.After(3, 4)
	if err != nil {
		t.Fatal(err)
	}
	second, err := l.After(2, 40)
	if err != nil || first[0] != second[1] {
		t.Errorf("read twice: %v", err)
	}
	shut(t, l)
}
