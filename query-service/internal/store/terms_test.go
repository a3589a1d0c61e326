package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/obby/go-services/query-service/internal/query"
)

// What is kept in memory is what the tables hold: rows that come and go count at once.
func TestTermsFollowTheirTables(t *testing.T) {
	s, db := fresh(t)
	noon := time.Date(2024, 3, 5, 12, 0, 0, 0, time.Local)
	summary := func(file any, at time.Time, topics ...string) {
		id := exec(t, db, "INSERT INTO semantic_entries (file_path, timestamp) VALUES (?, ?)", file, at.Format(time.DateTime))
		for _, topic := range topics {
			exec(t, db, "INSERT INTO semantic_topics (entry_id, topic) VALUES (?, ?)", id, topic)
		}
	}
	want := func(what string, r query.Range, prefix string, want ...query.TermCount) {
		t.Helper()
		topics, _, err := s.Terms(t.Context(), r, prefix, 10)
		if diff := cmp.Diff(want, topics, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", what, err, diff)
		}
	}
	want("nothing", query.Range{}, "")
	summary("/a/b", noon, "go", "Go", "data")
	summary("/c", noon.Add(time.Hour), "GO")
	want("case does not count, and an entry once", query.Range{}, "", query.TermCount{Term: "GO", Count: 2}, query.TermCount{Term: "data", Count: 1})
	want("in a range", query.Range{To: noon.Add(time.Hour)}, "", query.TermCount{Term: "Go", Count: 1}, query.TermCount{Term: "data", Count: 1})
	want("below a path", query.Range{}, "/c", query.TermCount{Term: "GO", Count: 1})
	summary(nil, noon, "folder")
	want("an entry of no file", query.Range{}, "/", query.TermCount{Term: "GO", Count: 2}, query.TermCount{Term: "data", Count: 1})
	exec(t, db, "INSERT INTO semantic_analysis (file_path, topics, timestamp) VALUES ('/a', 'go, go,data', ?)", noon.Format(time.DateTime))
	want("with an analysis", query.Range{}, "/a", query.TermCount{Term: "Go", Count: 2}, query.TermCount{Term: "data", Count: 2})
	exec(t, db, "UPDATE semantic_analysis SET topics = '[\"new\"]'")
	want("an analysis that was changed", query.Range{}, "/a", query.TermCount{Term: "Go", Count: 1}, query.TermCount{Term: "data", Count: 1}, query.TermCount{Term: "new", Count: 1})
	exec(t, db, "DELETE FROM semantic_topics WHERE topic = 'data'")
	want("a topic that was removed", query.Range{}, "/a/b", query.TermCount{Term: "Go", Count: 1})
	exec(t, db, "DELETE FROM semantic_topics")
	exec(t, db, "DELETE FROM semantic_entries")
	exec(t, db, "DELETE FROM semantic_analysis")
	want("all removed", query.Range{}, "")
}
