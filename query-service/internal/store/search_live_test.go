package store

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/sqlitetest"
	"github.com/obby/go-services/query-service/internal/query"
)

// While contents change, each answer is of one moment: every file is found once, at
// a version that has the word.
func TestSearchWhileWriting(t *testing.T) {
	s, db := fresh(t)
	const files = 20
	write := func(round int) {
		for i := range files { // a change is one transaction; the pool has one connection
			exec(t, db, "BEGIN IMMEDIATE")
			record(t, db, fmt.Sprint("/", i), fmt.Sprintf("needle round%d 針%d", round, round))
			exec(t, db, "COMMIT")
		}
	}
	write(0)
	stop := make(chan struct{})
	var writer sync.WaitGroup
	defer writer.Wait()
	defer close(stop)
	writer.Go(func() {
		for round := 1; ; round++ {
			select {
			case <-stop:
				return
			default:
				write(round)
			}
		}
	})
	for range 100 {
		for mode, text := range map[query.Mode]string{query.Plain: "needle 針", query.Advanced: "needle round*", query.Substring: "eedle"} {
			found := search(t, s, mode, text, "")
			seen := map[string]bool{}
			for _, r := range found {
				if seen[r.Path] = true; !strings.Contains(r.Snippet.Text, "needle") {
					t.Errorf("mode %d: %s is found by %q", mode, r.Path, r.Snippet.Text)
				}
			}
			if len(seen) != files || len(found) != files {
				t.Fatalf("mode %d: %d of %d files are found, in %d results", mode, len(seen), files, len(found))
			}
		}
	}
}

func TestSearchLive(t *testing.T) {
	s, db := fresh(t)
	old := record(t, db, "/gone", "needle")
	exec(t, db, "UPDATE file_states SET content_hash = NULL WHERE file_path = '/gone'")
	pruned := record(t, db, "/pruned", "needle")
	exec(t, db, "DELETE FROM file_versions WHERE id = ?", pruned)
	record(t, db, "/moved-on", "needle")
	exec(t, db, "UPDATE file_states SET content_hash = ? WHERE file_path = '/moved-on'", sqlitetest.Hash("pin"))
	record(t, db, "/stateless", "needle")
	exec(t, db, "DELETE FROM file_states WHERE file_path = '/stateless'")
	record(t, db, "/live", "hay")
	live := record(t, db, "/live", "needle")
	for mode, text := range map[query.Mode]string{query.Plain: "needle", query.Advanced: "need*", query.Substring: "eedl"} {
		found := search(t, s, mode, text, "")
		if diff := cmp.Diff([]string{"/live", "/stateless"}, paths(found)); diff != "" {
			t.Fatalf("case 59: mode %d: deleted, pruned and outdated rows are left out (-want +got):\n%s", mode, diff)
		}
		if r := found[0]; r.Version != live || !r.Observed.Equal(at(t, sqlitetest.TimeMicros)) || (r.Score > 0) != (mode != query.Substring) {
			t.Errorf("mode %d: result is %+v, want version %d", mode, r, live)
		}
	}
	if old >= live {
		t.Fatal("ids do not grow")
	}
}
