package store

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/obby/go-services/sse-hub/internal/hub"
	"github.com/obby/go-services/sse-hub/internal/logtest"
)

// watched is a disk that counts, and fails while it is told to.
type watched struct {
	files, names int
	err          error
}

func (w *watched) disk() disk {
	return disk{
		makeSpare: makeSpare,
		syncFile: func(file *os.File) error {
			w.files++
			return errors.Join(w.err, datasync(file))
		},
		syncNames: func(dir *os.File) error {
			w.names++
			return errors.Join(w.err, dir.Sync())
		},
	}
}

// expect checks how often files and names were synced since it was asked last.
func (w *watched) expect(t *testing.T, what string, files, names int) {
	t.Helper()
	if w.files != files || w.names != names {
		t.Errorf("%s: files are synced %d times and names %d times, want %d and %d", what, w.files, w.names, files, names)
	}
	w.files, w.names = 0, 0
}

// Case 66: nothing is answered before it is synced.
func TestSyncs(t *testing.T) {
	var w watched
	o := options(t.TempDir(), plenty, 0)
	o.Retention.Bytes = 1 << 20
	l, err := openOn(w.disk(), o)
	if err != nil {
		t.Fatal(err)
	}
	w.expect(t, "the first segment begins", 1, 1)
	logtest.Append(t, l, "one", "two")
	w.expect(t, "one group", 1, 0)
	logtest.Append(t, l, strings.Repeat("x", 60<<10))
	w.expect(t, "one group", 1, 0)
	logtest.Append(t, l, strings.Repeat("x", 60<<10))
	w.expect(t, "another segment begins, and one group", 2, 1)
	shut(t, l)
	if l, err = openOn(w.disk(), o); err != nil {
		t.Fatal(err)
	}
	w.expect(t, "after a restart", 1, 1)
	shut(t, l)
}

// big is one event that the newest segment has no room for.
func big(t *testing.T, l *Log) []*hub.Event {
	t.Helper()
	b, err := l.Bounds()
	if err != nil {
		t.Fatal(err)
	}
	return []*hub.Event{hub.NewEvent(b.Epoch, hub.Event{Seq: b.Newest + 1, Topic: "t", Type: "message", Data: make([]byte, 100<<10)})}
}

// A name that cannot be made safe ends it: no two segments hold the same events.
func TestNameNotSafe(t *testing.T) {
	for name, failing := range map[string]func(w *watched, l *Log){
		"the header": func(w *watched, _ *Log) { w.err = errors.New("disk on fire") },
		"the name": func(w *watched, l *Log) {
			l.disk.syncNames = func(*os.File) error { return errors.New("disk on fire") }
		},
	} {
		t.Run(name, func(t *testing.T) {
			var w watched
			o := options(t.TempDir(), plenty, 0)
			o.Retention.Bytes = 1 << 20
			l, err := openOn(w.disk(), o)
			if err != nil {
				t.Fatal(err)
			}
			want := logtest.Append(t, l, "one")
			failing(&w, l)
			events := big(t, l)
			if err := l.Append(events); err == nil {
				t.Error("it is taken")
			}
			w.err = nil
			small := hub.NewEvent(l.epoch, hub.Event{Seq: 2, Topic: "t", Type: "message", Time: events[0].Time})
			if err := l.Append([]*hub.Event{small}); err == nil {
				want = append(want, small)
			}
			shut(t, l)
			l = open(t, o)
			logtest.Same(t, want, logtest.All(t, l, 0, 10))
			if b, _ := l.Bounds(); !strings.HasPrefix(want[0].ID, b.Epoch) {
				t.Errorf("another epoch: %+v", b)
			}
			shut(t, l)
		})
	}
}

// Case 66: without a descriptor to be had, nothing is begun by half.
func TestNoDescriptors(t *testing.T) {
	o := options(t.TempDir(), plenty, 0)
	o.Retention.Bytes = 1 << 20
	l := open(t, o)
	want := logtest.Append(t, l, strings.Repeat("x", 1<<10))
	l.spare <- <-l.spare // the spare is there; none is made from here on
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: limit.Max}); err != nil {
		t.Skip(err)
	}
	events := []*hub.Event{hub.NewEvent(l.epoch, hub.Event{Seq: 2, Topic: "t", Type: "message", Data: make([]byte, 65_300)})}
	err := l.Append(events)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Errorf("a segment whose file is there cannot be begun: %v", err)
	}
	want = append(append(want, events...), logtest.Append(t, l, "small")...)
	shut(t, l)
	l = open(t, o)
	if got := logtest.All(t, l, 0, 10); len(got) != len(want) {
		t.Errorf("%d events, want %d", len(got), len(want))
	}
	if b, _ := l.Bounds(); !strings.HasPrefix(want[0].ID, b.Epoch) {
		t.Errorf("another epoch: %+v", b)
	}
	shut(t, l)
}

// On a full disk the log lives on what it forgets.
func TestFullDisk(t *testing.T) {
	o := options(t.TempDir(), hub.Retention{Events: 5, Bytes: 1 << 20, Age: time.Hour}, 0)
	d := systemDisk
	d.makeSpare = func(dir string, size int64) (*os.File, error) {
		if names, err := segmentNames(dir); err != nil || len(names) >= 2 {
			return nil, errors.Join(unix.ENOSPC, err)
		}
		return makeSpare(dir, size)
	}
	l, err := openOn(d, o)
	if err != nil {
		t.Fatal(err)
	}
	for range 40 { // six make a segment
		logtest.Append(t, l, strings.Repeat("x", 10<<10))
	}
	if got := len(logtest.All(t, l, 35, 10)); got != 5 {
		t.Errorf("%d events, want 5", got)
	}
	shut(t, l)
}
