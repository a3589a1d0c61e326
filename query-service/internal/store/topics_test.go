package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/query-service/internal/query"
)

func TestTopics(t *testing.T) {
	s, db := fresh(t)
	analysis := func(path, topics, at string) {
		exec(t, db, "INSERT INTO semantic_analysis (file_path, summary, topics, keywords, timestamp) VALUES (?, ?, ?, ?, ?)",
			path, "about "+path, topics, topics, at)
	}
	analysis("/csv", "Go, databases ,", "2024-03-05 10:00:00")
	analysis("/json", `["go", "caf\u00e9", "50%"]`, "2024-03-05 11:00:00")
	analysis("/csv", "go", "2024-03-05 09:00:00")
	analysis("/golang", "golang", "2024-03-05 10:00:00")
	analysis("/broken", `["go"`, "2024-03-05 10:00:00")
	analysis("/twice", `["go", "GO"]`, "unreadable")
	analysis("/odd", `[null, 1, {"go": "go"}, "C++"]`, "2024-03-05 10:00:00")
	exec(t, db, "INSERT INTO semantic_analysis (file_path, topics, timestamp) VALUES ('/null', NULL, '2024-03-05 10:00:00')")
	for topic, want := range map[string][]string{
		"go": {"/json 1 about /json", "/csv 2 about /csv", "/twice 1 about /twice"}, "GO": {"/json 1 about /json", "/csv 2 about /csv", "/twice 1 about /twice"},
		"golang": {"/golang 1 about /golang"}, "databases": {"/csv 1 about /csv"}, "café": {"/json 1 about /json"}, "CAFÉ": nil,
		"g%": nil, "50%": {"/json 1 about /json"}, "c++": {"/odd 1 about /odd"}, "g_": nil,
	} {
		t.Run("case 58: "+topic, func(t *testing.T) {
			var got []string
			q := query.TopicQuery{Topic: topic, Limit: 1}
			for more := true; more; {
				page, err := s.TopicFiles(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range page.Items {
					got = append(got, fmt.Sprint(f.Path, " ", f.Entries, " ", f.Summary))
					q.After = &f
				}
				more = page.More
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("page by page (-want +got):\n%s", diff)
			}
		})
	}
	day := time.Date(2024, 3, 5, 0, 0, 0, 0, time.Local)
	topics, keywords, err := s.Terms(t.Context(), query.Range{From: day.Add(10 * time.Hour), To: day.Add(11 * time.Hour)}, "/csv", 20)
	want := []query.TermCount{{Term: "Go", Count: 1}, {Term: "databases", Count: 1}}
	if diff := cmp.Diff([][]query.TermCount{want, want}, [][]query.TermCount{topics, keywords}); diff != "" || err != nil {
		t.Errorf("terms of an hour below a path: %v (-want +got):\n%s", err, diff)
	}
}

func TestTopicsSize(t *testing.T) {
	s, db := fresh(t)
	for i := range 5 {
		exec(t, db, "INSERT INTO semantic_analysis (file_path, summary, topics, timestamp) VALUES (?, CAST(zeroblob(1048576) AS TEXT), 'go', 1)", fmt.Sprint("/", i))
	}
	page, err := s.TopicFiles(t.Context(), query.TopicQuery{Topic: "go", Limit: 10})
	if err != nil || len(page.Items) != 2 || !page.More {
		t.Errorf("case 51: a page with summaries of 1 MiB has %d, more is %v, %v", len(page.Items), page.More, err)
	}
}

// Without any summary a topic's files are those that have its words.
func TestTopicsByContent(t *testing.T) {
	s, db := fresh(t)
	record(t, db, "/a", "on Go and databases")
	record(t, db, "/go.md", "nothing")
	record(t, db, "/golang", "golang, 全文検索")
	topics := func(topic string) (files []string, byContent bool) {
		t.Helper()
		for q := (query.TopicQuery{Topic: topic, Limit: 1}); ; {
			found, err := query.TopicFiles(t.Context(), s, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range found.Files.Items {
				files = append(files, fmt.Sprint(f.Path, " ", f.Entries, " ", !f.Latest.IsZero()))
				q.After = &f
			}
			if q.Before, byContent = found.Before, found.ByContent; !found.Files.More {
				return files, byContent
			}
		}
	}
	for topic, want := range map[string][]string{
		"go": {"/go.md 0 true", "/a 0 true"}, "g%": nil, "go databases": {"/a 0 true"}, "検索": {"/golang 0 true"}, "---": nil,
	} {
		if files, byContent := topics(topic); !cmp.Equal(want, files) || !byContent {
			t.Errorf("case 58: without summaries %s is in %q, by content %v, want %q", topic, files, byContent, want)
		}
	}
	exec(t, db, "INSERT INTO semantic_analysis (file_path, topics, timestamp) VALUES ('/x', 'other', 1)")
	if files, byContent := topics("go"); len(files) != 0 || byContent {
		t.Errorf("with a summary of something else go is in %q, by content %v", files, byContent)
	}
	for _, table := range []string{"semantic_keywords", "semantic_topics", "semantic_entries", "semantic_analysis"} {
		exec(t, db, "DROP TABLE "+table)
	}
	s.check(t.Context())
	if files, byContent := topics("go"); len(files) != 2 || !byContent {
		t.Errorf("without the tables go is in %q, by content %v", files, byContent)
	}
}
