package track_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/content-tracker/internal/track"
)

// steps are changes of one file, each with its version, at the given times.
func pastSteps(times ...time.Time) []track.PastStep {
	var steps []track.PastStep
	for i, at := range times {
		s := track.PastStep{ID: int64(i + 1), Type: track.Modified, Old: int64(i), New: int64(i + 1), At: at, Bytes: 100}
		if i == 0 {
			s.Type = track.Created
		}
		steps = append(steps, s)
	}
	return steps
}

func TestRuleKeeps(t *testing.T) {
	day := time.Date(2024, 3, 6, 12, 0, 0, 0, time.Local) // a Wednesday
	var times []time.Time
	for hours := 24 * 60; hours >= 0; hours -= 6 {
		times = append(times, day.Add(-time.Duration(hours)*time.Hour))
	}
	for _, tc := range []struct {
		rule string
		want []string
	}{
		{"* last=2", []string{"03-06 06", "03-06 12"}},
		{"* daily=3", []string{"03-04 18", "03-05 18", "03-06 12"}},
		{"* weekly=3", []string{"02-25 18", "03-03 18", "03-06 12"}},
		{"* monthly=9", []string{"01-31 18", "02-29 18", "03-06 12"}},
		{"* hourly=2 daily=2 monthly=2", []string{"02-29 18", "03-05 18", "03-06 06", "03-06 12"}},
		{"* last=1", []string{"03-06 12"}},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			rule, err := track.ParseRule(tc.rule)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i, kept := range track.Keep(rule, pastSteps(times...)) {
				if kept {
					got = append(got, times[i].Format("01-02 15"))
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseRule(t *testing.T) {
	for text, want := range map[string]string{
		"":              "is empty",
		"*.log":         "keeps nothing",
		"*.log last=0":  "keeps nothing",
		"*.log last=-1": "negative",
		"*.log last=x":  "no number",
		"*.log last":    "no number",
		"*.log year=1":  `"year=1"`,
	} {
		if _, err := track.ParseRule(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is %v, want it to say %q", text, err, want)
		}
	}
}

// TestJoins: what is kept of created, modified and deleted steps forms one line.
func TestJoins(t *testing.T) {
	step := func(id int64, change track.ChangeType, from, to int64) track.PastStep {
		return track.PastStep{ID: id, Type: change, Old: from, New: to}
	}
	for _, tc := range []struct {
		name  string
		steps []track.PastStep
		keep  string // a letter for each step: k or -
		want  string
	}{
		{"nothing goes", pastSteps(time.Now(), time.Now()), "kk", "kk"},
		{"the middle", pastSteps(time.Now(), time.Now(), time.Now()), "k-k", "k-k 3:modified from 1"},
		{"the beginning", pastSteps(time.Now(), time.Now(), time.Now()), "--k", "--k 3:created from 0"},
		{"a deletion", []track.PastStep{step(1, track.Created, 0, 1), step(2, track.Deleted, 1, 0), step(3, track.Created, 0, 2)},
			"k-k", "k-k 3:modified from 1"},
		{"before a deletion", []track.PastStep{step(1, track.Created, 0, 1), step(2, track.Modified, 1, 2), step(3, track.Deleted, 2, 0)},
			"k-k", "k-k 3:deleted from 1"},
		{"back and forth", []track.PastStep{step(1, track.Created, 0, 1), step(2, track.Modified, 1, 2), step(3, track.Modified, 2, 1)},
			"k-k", "kkk"},
		{"there and gone", []track.PastStep{step(1, track.Created, 0, 1), step(2, track.Deleted, 1, 0)}, "-k", "kk"},
		{"edited and gone", []track.PastStep{step(1, track.Created, 0, 1), step(2, track.Modified, 1, 2), step(3, track.Deleted, 2, 0)},
			"--k", "-kk 2:created from 0"},
		{"gone twice", []track.PastStep{
			step(1, track.Created, 0, 1), step(2, track.Deleted, 1, 0), step(3, track.Created, 0, 2), step(4, track.Deleted, 2, 0),
		}, "-k-k", "kkkk"},
		{"gone, of which nothing is known", []track.PastStep{step(1, track.Deleted, 0, 0), step(2, track.Created, 0, 1), step(3, track.Modified, 1, 2)},
			"k-k", "k-k 3:created from 0"},
		{"moved away, then new", []track.PastStep{step(1, track.Created, 0, 1), step(2, track.Modified, 1, 2), step(3, track.Created, 0, 3), step(4, track.Modified, 3, 4)},
			"k--k", "k--k 4:created from 0"},
		{"moved away, then new and gone", []track.PastStep{step(1, track.Created, 0, 1), step(2, track.Created, 0, 2), step(3, track.Deleted, 2, 0)},
			"k-k", "kkk"},
		{"a move", []track.PastStep{step(1, track.Created, 0, 1), step(2, track.Moved, 9, 2), step(3, track.Modified, 2, 3)},
			"-kk", "-kk"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			kept := make([]bool, len(tc.keep))
			for i := range kept {
				kept[i] = tc.keep[i] == 'k'
			}
			joins := track.Joins(tc.steps, kept)
			got := ""
			for _, k := range kept {
				got += map[bool]string{true: "k", false: "-"}[k]
			}
			for _, j := range joins {
				got += fmt.Sprintf(" %d:%s from %d", j.ID, j.Type, j.Old)
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
