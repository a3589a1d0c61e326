package track

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestRemaining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reconciliation{changed: make([]Request, 10), began: time.Now()}
		if p := r.now(); p.Remaining != 0 {
			t.Errorf("before anything was tracked: %v", p.Remaining)
		}
		time.Sleep(4 * time.Second) // of the bubble's clock
		r.tracked = 4
		if p := r.now(); p.Remaining != 6*time.Second {
			t.Errorf("6 of 10 at one a second take %v", p.Remaining)
		}
	})
}
