package remote

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestDoubts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoubts()
		d.settleAfter(time.Second)
		if d.wait() != nil {
			t.Error("without a doubt there is something to wait for")
		}
		start := time.Now()
		d.add("a")
		<-d.wait()
		if got := d.take(); len(got) != 0 {
			t.Errorf("after one turn %q are ripe, want none: the last may just have come", got)
		}
		d.add("b")
		<-d.wait()
		if got := d.take(); !slices.Equal(got, []string{"a"}) || time.Since(start) != 2*time.Second {
			t.Errorf("ripe are %q after %v, want a after 2s", got, time.Since(start))
		}
		if got := d.take(); len(got) != 0 {
			t.Errorf("%q are ripe before their time", got)
		}
		<-d.wait()
		if got := d.take(); !slices.Equal(got, []string{"b"}) {
			t.Errorf("ripe are %q, want b", got)
		}
		if d.wait() != nil {
			t.Error("what was taken is still waited for")
		}
	})
}
