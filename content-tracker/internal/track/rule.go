package track

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/obby/go-services/internal/pathrule"
)

// Rule says what is kept of the history of some paths: a step that one of the
// numbers keeps.
type Rule struct {
	Pattern string // as in .obbywatch
	Last    int    // the newest steps
	Hourly  int    // the last step of each of so many hours that have one
	Daily   int
	Weekly  int // from Monday
	Monthly int
}

// Policy is what is kept of all histories: per path by the first rule that matches
// it, everything where none does; then the oldest steps go while contents and
// diffs take more than MaxBytes.
type Policy struct {
	Rules    []Rule
	MaxBytes int64 // 0: no cap
}

// Empty reports whether the policy keeps everything.
func (p Policy) Empty() bool { return len(p.Rules) == 0 && p.MaxBytes == 0 }

// ParseRule reads a rule as it is configured: "*.log last=10 daily=7".
func ParseRule(text string) (Rule, error) {
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return Rule{}, fmt.Errorf("%w: %q is empty: write such as \"*.log last=10 daily=7\"", ErrBadRule, text)
	}
	r := Rule{Pattern: fields[0]}
	numbers := map[string]*int{"last": &r.Last, "hourly": &r.Hourly, "daily": &r.Daily, "weekly": &r.Weekly, "monthly": &r.Monthly}
	for _, field := range fields[1:] {
		name, value, _ := strings.Cut(field, "=")
		number, ok := numbers[name]
		if !ok {
			return r, fmt.Errorf("%w: %q in %q: give last, hourly, daily, weekly or monthly, such as daily=7", ErrBadRule, field, text)
		}
		n, err := strconv.Atoi(value)
		if err != nil {
			return r, fmt.Errorf("%w: %q in %q has no number", ErrBadRule, field, text)
		}
		*number = n
	}
	return r, r.Check()
}

// Check returns ErrBadRule, with the reason, for a rule that cannot be meant.
func (r Rule) Check() error {
	numbers := []int{r.Last, r.Hourly, r.Daily, r.Weekly, r.Monthly}
	if slices.Min(numbers) < 0 {
		return fmt.Errorf("%w: %q: a number is negative", ErrBadRule, r.Pattern)
	}
	if slices.Max(numbers) == 0 {
		return fmt.Errorf("%w: %q keeps nothing: give last=1 at least", ErrBadRule, r.Pattern)
	}
	if set, problems := pathrule.New([]string{r.Pattern}, nil); len(problems) > 0 || set.Empty() {
		return fmt.Errorf("%w: %q is not a pattern", ErrBadRule, r.Pattern)
	}
	return nil
}

func (r Rule) matches(rel string) bool {
	set, _ := pathrule.New([]string{r.Pattern}, nil)
	return set.Match(rel)
}

// keep returns which steps, oldest first, a rule keeps.
func (r Rule) keep(steps []PastStep) []bool {
	kept := make([]bool, len(steps))
	periods := []struct {
		many int
		name func(time.Time) string
	}{
		{r.Hourly, func(t time.Time) string { return t.Format("2006-01-02 15 Z07") }},
		{r.Daily, func(t time.Time) string { return t.Format(time.DateOnly) }},
		{r.Weekly, func(t time.Time) string { year, week := t.ISOWeek(); return fmt.Sprint(year, week) }},
		{r.Monthly, func(t time.Time) string { return t.Format("2006-01") }},
	}
	for i, s := range steps {
		kept[i] = s.Fixed || i >= len(steps)-max(r.Last, 1)
	}
	for _, p := range periods {
		last := ""
		for i := len(steps) - 1; i >= 0 && p.many > 0; i-- {
			if name := p.name(steps[i].At.Local()); name != last {
				kept[i], last = true, name
				p.many--
			}
		}
	}
	return kept
}
