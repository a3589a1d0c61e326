package watch

import (
	"runtime/debug"
	"time"
)

// When a storm counts as over, and what counts as one. Guesses.
const (
	tidyAfter = time.Second
	tidyWork  = 5000
)

// tidy gives the memory that a storm took back to the system once it is over. The
// garbage collector alone would keep as much again as is in use, for growth; what
// a watcher holds mostly stays as it is for hours.
type tidy struct {
	work int
	at   time.Time // when to do it; zero: nothing to do
}

// worked notes that n things were dealt with.
func (t *tidy) worked(n int, now time.Time) {
	if t.work += n; n > 0 && t.work > tidyWork {
		t.at = now.Add(tidyAfter)
	}
}

// due does what is due.
func (t *tidy) due(now time.Time) {
	if !t.at.IsZero() && !now.Before(t.at) {
		*t = tidy{}
		go debug.FreeOSMemory() // ends by itself; the loop does not wait for it
	}
}
