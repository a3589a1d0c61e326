package watch

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func anything(*Event) bool { return true }

func numbered(from, to int) (events []*Event) {
	for i := from; i <= to; i++ {
		events = append(events, &Event{Watch: "w", Type: Created, Path: fmt.Sprintf("/r/%d", i)})
	}
	return events
}

// rest returns the paths after pos.
func (j *journal) rest(pos uint64) (found []string) {
	for {
		step := j.after(pos, anything)
		pos = step.pos
		for _, e := range step.events {
			found = append(found, e.Path)
		}
		if !step.more {
			return found
		}
	}
}

func TestJournalIsBounded(t *testing.T) {
	for name, j := range map[string]*journal{
		"by number": newJournal(3, 1<<30),
		"by bytes":  newJournal(1000, 3*(eventOverhead+5)),
	} {
		t.Run(name, func(t *testing.T) {
			for _, e := range numbered(1, 5) {
				j.append(e)
			}
			if got := j.rest(2); strings.Join(got, " ") != "/r/3 /r/4 /r/5" {
				t.Errorf("it holds %q, want the last three", got)
			}
			if !j.after(1, anything).overtaken || j.holds(1) || !j.holds(2) || j.head() != 5 {
				t.Error("the second event is held no more, the third is")
			}
		})
	}
	t.Run("one event is kept, however large", func(t *testing.T) {
		j := newJournal(1000, 1)
		j.append(numbered(1, 1)[0])
		if got := j.rest(0); len(got) != 1 {
			t.Errorf("it holds %q", got)
		}
	})
}

func TestJournalWakes(t *testing.T) {
	j := newJournal(10, 1<<20)
	step := j.after(0, anything)
	if len(step.events) > 0 || step.closed {
		t.Fatalf("found %+v in an empty journal", step)
	}
	j.append(numbered(1, 1)[0])
	j.tell()
	<-step.wake
	j.close()
	if step = j.after(0, anything); len(step.events) != 1 {
		t.Errorf("found %+v, want the event before the end", step)
	}
	if step = j.after(1, anything); !step.closed {
		t.Errorf("found %+v, want the end", step)
	}
}

func TestJournalSkipsInSteps(t *testing.T) {
	j := newJournal(10*readStep, 1<<30)
	for _, e := range numbered(1, readStep+1) {
		j.append(e)
	}
	nothing := func(*Event) bool { return false }
	step := j.after(0, nothing)
	if !step.more || step.pos != readStep {
		t.Errorf("first step is %+v", step)
	}
	if step = j.after(step.pos, nothing); step.more || step.pos != readStep+1 {
		t.Errorf("second step is %+v", step)
	}
}

func TestJournalDrops(t *testing.T) {
	t.Run("case 50: events of a stopped watch are not delivered any more", func(t *testing.T) {
		j := newJournal(10, 1<<20)
		for i, e := range numbered(1, 4) {
			if i%2 == 0 {
				e.Watch = "stopped"
			}
			j.append(e)
		}
		j.drop("stopped")
		if got := j.rest(0); strings.Join(got, " ") != "/r/2 /r/4" {
			t.Errorf("it holds %q", got)
		}
	})
}

func TestToken(t *testing.T) {
	j := newJournal(10, 1<<20)
	for _, e := range numbered(1, 3) {
		j.append(e)
	}
	if pos, mine, err := j.parseToken(j.token(3)); pos != 3 || !mine || err != nil {
		t.Errorf("its own token is %d, %v, %v", pos, mine, err)
	}
	if _, mine, err := j.parseToken(newJournal(1, 1).token(7)); mine || err != nil {
		t.Errorf("that of another process is %v, %v", mine, err)
	}
	for _, token := range []string{
		"x", "-", "-1", j.epoch, j.epoch + "-", j.epoch + "-x", j.epoch + "--1", j.epoch + "-+1", j.epoch + "-01",
		strings.ToUpper("abcdefabcdefabcd") + "-1", "00-1", j.token(4), j.token(1) + " ", j.epoch + "-99999999999999999999",
	} {
		if _, _, err := j.parseToken(token); !errors.Is(err, ErrInvalidToken) {
			t.Errorf("token %q: %v, want an error", token, err)
		}
	}
}
