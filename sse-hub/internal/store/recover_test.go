package store

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/obby/go-services/sse-hub/internal/hub"
	"github.com/obby/go-services/sse-hub/internal/logtest"
)

// Case 66: wherever a write is cut off, what was stored before is there. The place
// is not given again: what looks cut off may be what the disk has damaged.
func TestTornTail(t *testing.T) {
	source := t.TempDir()
	small := plenty
	small.Bytes = 1 << 20 // and so are its segments
	l := open(t, options(source, small, 0))
	want := logtest.Append(t, l, "one", "two")
	end := l.active().end
	torn := logtest.Append(t, l, "torn")
	whole := l.active().end
	shut(t, l)
	content, err := os.ReadFile(filepath.Join(source, segmentName(1)))
	if err != nil {
		t.Fatal(err)
	}
	for at := end; at < whole; at++ {
		dir := t.TempDir()
		cut := append(bytes.Clone(content[:at]), make([]byte, int64(len(content))-at)...)
		if err := os.WriteFile(filepath.Join(dir, segmentName(1)), cut, 0o600); err != nil {
			t.Fatal(err)
		}
		l := open(t, options(dir, small, 0))
		again := logtest.Append(t, l, "again")
		if free := at == end; (again[0].ID == torn[0].ID) != free {
			t.Errorf("cut at %d: the next id is %s", at, again[0].ID)
		}
		logtest.Same(t, append(want[:2:2], again...), given(logtest.All(t, l, 0, 100)))
		shut(t, l)
	}
}

// given returns the events without the places of nothing.
func given(events []*hub.Event) []*hub.Event {
	return slices.DeleteFunc(events, func(e *hub.Event) bool { return e.Topic == "" })
}

// Damage to the newest event looks as what was being written does. Its id, and
// those of its group, are not given again.
func TestLastDamaged(t *testing.T) {
	for name, texts := range map[string][]string{
		"one": {"two"}, "a group": {"", "", "", "", "", ""}, "a large one": {strings.Repeat("x", 60_000)},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t.TempDir(), plenty, 0)
			o.Retention.Bytes = 1 << 20
			l := open(t, o)
			want := logtest.Append(t, l, "one")
			at := l.active().end
			lost := logtest.Append(t, l, texts...)
			shut(t, l)
			flip(t, o.Dir, segmentName(1), int(at)+30)
			for range 2 { // the second start has nothing to mend
				l = open(t, o)
				b, _ := l.Bounds()
				if last := lost[len(lost)-1]; b.Newest < last.Seq || b.Newest > last.Seq+hub.MaxGroup || !strings.HasPrefix(last.ID, b.Epoch) {
					t.Fatalf("%d were given out, then there are %+v", last.Seq, b)
				}
				logtest.Same(t, want, given(logtest.All(t, l, 0, 100)))
				want = append(want, logtest.Append(t, l, "other")...)
				shut(t, l)
			}
		})
	}
}

// After a sync that failed, the kernel's memory is no proof of what the disk has.
func TestNewestIsWrittenAgain(t *testing.T) {
	o := options(t.TempDir(), plenty, 0)
	l := open(t, o)
	want := logtest.Append(t, l, "one")
	shut(t, l)
	path, old := filepath.Join(o.Dir, segmentName(1)), time.Unix(1, 0)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	l = open(t, o)
	if info, err := os.Stat(path); err != nil || info.ModTime().Equal(old) {
		t.Errorf("nothing was written, %v", err)
	}
	logtest.Same(t, want, logtest.All(t, l, 0, 10))
	shut(t, l)
}

// Case 66: the kernel may write the last pages of a group before the first ones.
// That is no damage, and what was stored before is there.
func TestTornGroup(t *testing.T) {
	o := options(t.TempDir(), plenty, 0)
	l := open(t, o)
	var want []*hub.Event
	for i := range 100 {
		want = append(want, logtest.Append(t, l, fmt.Sprint(i))...)
	}
	end := int(l.active().end)
	logtest.Append(t, l, strings.Repeat("a", 6000), strings.Repeat("b", 6000), "c")
	shut(t, l)
	path := filepath.Join(o.Dir, segmentName(1))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for page := end &^ 4095; page < end+12_000; page += 4096 {
		torn := bytes.Clone(whole)
		clear(torn[max(page, end) : page+4096])
		if err := os.WriteFile(path, torn, 0o600); err != nil {
			t.Fatal(err)
		}
		l := open(t, o)
		if b, _ := l.Bounds(); !strings.HasPrefix(want[0].ID, b.Epoch) {
			t.Fatalf("without the page at %d another epoch begins: %+v", page, b)
		}
		logtest.Same(t, want, logtest.All(t, l, 0, 256)[:100])
		shut(t, l)
	}
}

// Case 42: damage to what was synced is no torn tail. No id is given twice.
func TestDamage(t *testing.T) {
	for name, harm := range map[string]func(t *testing.T, dir string){
		"a record before a whole one": func(t *testing.T, dir string) { flip(t, dir, segmentName(1), headerBytes+30) },
		"a record of the newest segment": func(t *testing.T, dir string) {
			names, err := segmentNames(dir)
			if err != nil {
				t.Fatal(err)
			}
			flip(t, dir, names[len(names)-1], headerBytes+30)
		},
		"a record behind others": func(t *testing.T, dir string) { flip(t, dir, segmentName(1), headerBytes+25_000) },
		"behind the end of a full segment": func(t *testing.T, dir string) {
			flip(t, dir, segmentName(1), minSegment-1)
		},
		"a header": func(t *testing.T, dir string) { flip(t, dir, segmentName(1), 3) },
		"a header that is cut off": func(t *testing.T, dir string) {
			if err := os.Truncate(filepath.Join(dir, segmentName(1)), 5); err != nil {
				t.Fatal(err)
			}
		},
		"a segment is missing": func(t *testing.T, dir string) {
			names, err := segmentNames(dir)
			if err != nil || len(names) < 3 {
				t.Fatalf("segments are %v, %v", names, err)
			}
			if err := os.Remove(filepath.Join(dir, names[1])); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t.TempDir(), plenty, 0)
			o.Retention.Bytes = 1 << 20
			l := open(t, o)
			var events []*hub.Event
			for range 20 {
				events = append(events, logtest.Append(t, l, strings.Repeat("x", 10<<10))...)
			}
			shut(t, l)
			harm(t, o.Dir)
			l = open(t, o)
			b, err := l.Bounds()
			if err != nil || strings.HasPrefix(events[0].ID, b.Epoch) || b.Oldest != 1 || b.Newest != 0 {
				t.Errorf("bounds are %+v, %v", b, err)
			}
			if err := l.Recall(100, func(_, key string, r hub.Receipt) { t.Errorf("%s is answered %s", key, r.ID) }); err != nil {
				t.Error(err)
			}
			logtest.Append(t, l, "goes on")
			shut(t, l)
			if aside, _ := filepath.Glob(filepath.Join(o.Dir, "damaged-*", "*.log")); len(aside) == 0 {
				t.Error("nothing was set aside")
			}
			l = open(t, o)
			if got := logtest.All(t, l, 0, 10); len(got) != 1 {
				t.Errorf("after another start there are %v", got)
			}
			shut(t, l)
		})
	}
}

// A disk that cannot be read refuses the start: what it holds may be well.
func TestUnreadableAtStart(t *testing.T) {
	const unreadable = "/proc/self/mem" // whose first page is never mapped: EIO
	o := options(t.TempDir(), plenty, 0)
	path := filepath.Join(o.Dir, segmentName(1))
	if _, err := os.Stat(unreadable); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink(unreadable, path); err != nil {
		t.Fatal(err)
	}
	if l, err := Open(o); err == nil {
		t.Error("it starts")
		shut(t, l)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
}

func flip(t *testing.T, dir, name string, at int) {
	t.Helper()
	path := filepath.Join(dir, name)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[at] ^= 1
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
