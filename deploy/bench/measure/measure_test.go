package measure

import (
	"os"
	"testing"
	"time"
)

func TestOf(t *testing.T) {
	before, err := Of(os.Getpid())
	if err != nil || before.RSS <= 0 || before.Anon <= 0 || before.Anon > before.RSS {
		t.Fatalf("usage is %+v, %v", before, err)
	}
	for after := before; after.CPU == before.CPU; { // uses what it waits for
		if after, err = Of(os.Getpid()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSum(t *testing.T) {
	var all []time.Duration
	for i := range 1000 {
		all = append(all, time.Duration(1000-i)*time.Millisecond)
	}
	if got, want := Sum(all), (Times{Count: 1000, P50: 501, P99: 991, Max: 1000}); got != want {
		t.Errorf("sum is %+v, want %+v", got, want)
	}
	if got := Sum(nil); got != (Times{}) {
		t.Errorf("sum of nothing is %+v", got)
	}
}
