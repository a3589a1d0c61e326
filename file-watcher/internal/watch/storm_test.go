package watch

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var stormSeeds = flag.Int("seeds", 4, "how many storms TestStorm lets loose")

var stormOnly = flag.Int("seed", -1, "the one storm that TestStorm lets loose; -1: as many as -seeds says")

// What a storm consists of. Between two gusts everything settles.
const (
	gusts          = 3
	gustProcesses  = 3
	gustOperations = 400
)

// TestStorm is the promise: several processes at once do anything to a tree, as
// fast as they can, while paths settle and are reported in between. Whatever
// happened, each event must be possible when it comes, and all of them, applied
// in order, must give what is on disk.
func TestStorm(t *testing.T) {
	first, last := 0, *stormSeeds
	if *stormOnly >= 0 {
		first, last = *stormOnly, *stormOnly+1
	}
	for seed := first; seed < last; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { newStorm(t, seed).run() })
	}
}

type storm struct {
	*world
	seed   int
	log    []string // operations of the gust, as they ended
	events []string
	sub    *Subscription
}

// newStorm returns the storm of a seed. From seed to seed the quiet delay, the
// second root (nested, beside the first, none) and the hard links vary.
func newStorm(t *testing.T, seed int) *storm {
	s := &storm{seed: seed, world: newWorldWith(t, Options{
		Debounce: time.Duration(seed%5)*time.Millisecond + 1, RescanEvery: never,
	})}
	for _, dir := range []string{"r/a/b", "outside/a", "beside", "r/ignored"} {
		s.disk("mkdir", []string{dir})
	}
	for _, root := range []string{"r", "beside"} {
		s.disk("write", []string{root + "/.obbywatch", `*.md\nodd*`})
		s.disk("write", []string{root + "/.obbyignore", "ignored/"})
	}
	s.watch("r")
	switch seed % 3 {
	case 1:
		s.given["r/a"] = &Patterns{Watch: []string{"*.md"}}
		s.watch("r/a") // comes and goes like any directory
	case 2:
		s.watch("beside")
	}
	var watches []string
	for _, id := range s.ids {
		watches = append(watches, id)
	}
	s.sub = s.subscribe("", Filter{Watches: watches})
	return s
}

func (s *storm) run() {
	for gust := range gusts {
		s.gust(gust)
		s.flush()
		if s.linked() { // a write through one name is not notified for the others (case 25)
			s.do(func() { s.w.rescan(time.Now()) })
			s.flush()
		}
		s.events = append(s.events, s.unread...)
		if err := s.compareState(); err != nil || s.t.Failed() {
			s.t.Fatalf("gust %d: %v\nevents:\n%s\noperations:\n%s", gust, err, strings.Join(tail(s.unread, 60), "\n"), s.story())
		}
		s.unread = nil
	}
	if err := s.w.Drain(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	if diff := cmp.Diff(s.events, s.delivered()); diff != "" {
		s.t.Errorf("what the subscriber got (-reported +got):\n%s", diff)
	}
	s.t.Logf("%d operations, %d events", gusts*gustProcesses*gustOperations, len(s.events))
}

func (s *storm) linked() bool { return s.seed%2 == 1 }

// gust runs the processes of one gust to their ends.
func (s *storm) gust(gust int) {
	s.t.Helper()
	var all []*exec.Cmd
	for i := range gustProcesses {
		task := stormTask{Dir: s.dir, Seed: uint64(s.seed), Part: uint64(gust*gustProcesses + i), Links: s.linked()}
		cmd := task.command(s.t)
		cmd.Stdout, cmd.Stderr = &bytes.Buffer{}, os.Stderr
		if err := cmd.Start(); err != nil {
			s.t.Fatal(err)
		}
		all = append(all, cmd)
	}
	s.log = nil
	for _, cmd := range all {
		if err := cmd.Wait(); err != nil {
			s.t.Fatalf("a process of the storm: %v", err)
		}
		s.log = append(s.log, strings.Split(strings.TrimSpace(cmd.Stdout.(*bytes.Buffer).String()), "\n")...)
	}
	slices.Sort(s.log) // each begins with when it ended
}

// delivered returns what the subscriber got until the end.
func (s *storm) delivered() (events []string) {
	for {
		item, err := s.sub.Next(s.t.Context())
		switch {
		case errors.Is(err, ErrShuttingDown):
			return events
		case err != nil:
			s.t.Fatal(err)
		case item.Kind == Change:
			events = append(events, s.describe(item.Event))
		case item.Kind != Heartbeat:
			s.t.Fatalf("the subscriber got %+v", item)
		}
	}
}

// story returns the last operations on the paths where state and disk differ, and
// on the directories above them.
func (s *storm) story() string {
	var told []string
	for id, root := range s.roots {
		disk := s.walk(root)
		for path, v := range s.state[id] {
			if disk[path] == v {
				delete(disk, path)
			} else {
				disk[path] = v
			}
		}
		for path := range disk { // where they differ
			told = append(told, path+":")
			told = append(told, tail(slices.DeleteFunc(slices.Clone(s.log), func(line string) bool {
				return !concerns(line, path)
			}), 40)...)
		}
	}
	return strings.Join(told, "\n")
}

// concerns reports whether an operation names path or something above it.
func concerns(line, path string) bool {
	for ; len(path) > 1; path = filepath.Dir(path) {
		if strings.Contains(line, fmt.Sprintf("%q", path)) {
			return true
		}
	}
	return false
}

func tail(lines []string, n int) []string { return lines[max(0, len(lines)-n):] }
