package watch

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// TestRandomOperations lets two goroutines do anything to a small tree at once,
// while paths settle and are reported in between. Whatever happened, the events,
// applied in order, must be possible and must give what is on disk. There are no
// hard links: a write through one is not notified for the others (case 25).
func TestRandomOperations(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, Options{Debounce: time.Duration(seed) * time.Millisecond / 2, RescanEvery: time.Hour})
			for _, dir := range []string{"r/a/b", "outside"} {
				w.disk("mkdir", []string{dir})
			}
			w.disk("write", []string{"r/.obbywatch", "*.md"})
			w.given["r/a"] = &Patterns{Watch: []string{"*.md"}}
			w.watch("r")
			w.watch("r/a") // comes and goes like any directory
			for round := range 8 {
				var both sync.WaitGroup
				for worker := range 2 {
					random := rand.New(rand.NewPCG(seed, uint64(round*2+worker)))
					both.Go(func() {
						for range 60 {
							randomOperation(w.dir, random)
						}
					})
				}
				both.Wait()
				w.flush()
				if err := w.compareState(); err != nil {
					t.Fatalf("round %d: %v\nevents:\n%q", round, err, w.unread)
				}
				w.unread = nil
			}
		})
	}
}

// randomOperation does one thing that may well be impossible.
func randomOperation(dir string, random *rand.Rand) {
	name := func(names ...string) string { return names[random.IntN(len(names))] }
	folder := func() string {
		path := filepath.Join(dir, name("r", "r", "r", "r", "outside"))
		for range random.IntN(4) {
			path = filepath.Join(path, name("a", "b", "c"))
		}
		return path
	}
	file := func() string { return filepath.Join(folder(), name("x.md", "y.md", "z.md", "t.txt")) }
	sub := func() string { return filepath.Join(folder(), name("a", "b", "c", "d.md")) }
	switch random.IntN(12) {
	case 0, 1, 2:
		_ = os.WriteFile(file(), make([]byte, random.IntN(100)), 0o644)
	case 3:
		_ = appendTo(file(), "more")
	case 4:
		_ = os.Remove(file())
	case 5, 6:
		_ = os.Rename(file(), file())
	case 7:
		_ = os.MkdirAll(sub(), 0o755)
	case 8, 9:
		_ = os.Rename(sub(), sub())
	case 10:
		_ = os.RemoveAll(sub())
	case 11:
		_ = os.Chtimes(file(), time.Time{}, time.Unix(random.Int64N(1e9), 0))
	}
}
