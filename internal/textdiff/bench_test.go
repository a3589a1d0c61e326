package textdiff_test

import (
	"bytes"
	"fmt"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/obby/go-services/internal/textdiff"
)

// BenchmarkDiff compares two contents of a million lines with 1,000 edits between
// them (case 21). Beside the time it reports the most memory that a diff takes, as
// a multiple of the file.
func BenchmarkDiff(b *testing.B) {
	from, to := million(func(int) bool { return false }), million(func(i int) bool { return i%1000 == 500 })
	runtime.GC()
	stop := peak()
	for b.Loop() {
		if d := textdiff.Unified(names, from, to, textdiff.ContextLines, limit); d.Added != 1000 || d.Removed != 1000 {
			b.Fatalf("+%d -%d", d.Added, d.Removed)
		}
	}
	b.ReportMetric(float64(stop())/float64(len(from)), "files")
}

func million(changed func(int) bool) []byte {
	var text bytes.Buffer
	for i := range 1_000_000 {
		word := "a word or two of line"
		if changed(i) {
			word = "some other words in line"
		}
		fmt.Fprintln(&text, strings.Repeat(" ", i%8)+word, i, "of many")
	}
	return text.Bytes()
}

// peak watches the heap, garbage included, until stop is called, which returns by
// how much it grew at most.
func peak() (stop func() uint64) {
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	read := func() uint64 { metrics.Read(heap); return heap[0].Value.Uint64() }
	base, most := read(), uint64(0)
	quit, done := make(chan struct{}), make(chan struct{})
	go func() { // ends with stop
		defer close(done)
		for {
			select {
			case <-quit:
				return
			case <-time.After(time.Millisecond):
				most = max(most, read()-min(base, read()))
			}
		}
	}()
	return func() uint64 { close(quit); <-done; return most }
}
