package store

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/sqlite"
	"github.com/obby/go-services/internal/sqlitetest"
	"github.com/obby/go-services/query-service/internal/query"
)

// scans names the statements that read a whole table, with the reason.
var scans = map[string]string{
	"where all blocks lie":     "a row for each 1,024 steps, and of it only what stands before the steps",
	"do the blocks add up":     "counts the entries of the smallest index, which SQLite does by page",
	"last diff":                "sqlite_sequence has a row for each table",
	"did summaries come or go": "counts entries, which SQLite does by page",
	"summaries":                "once a minute at most, or when summaries came or went",
	"their topics":             "the same",
	"topics of analyses":       "lists of terms in a text have no index; a row for each file that was analysed",
	"files of a topic":         "the same",
}

// tableScan finds the scan of anything but what a statement has made itself.
var tableScan = regexp.MustCompile(`SCAN (?:content_diffs|file_\w+|obby_\w+|semantic_\w+|sqlite_\w+|[a-eot])\b(?: USING.*)?(?:\n|$)`)

// A plan that changes, with a statement or a release of SQLite, shows here and is
// looked at.
func TestPlans(t *testing.T) {
	s, _ := fresh(t)
	r := query.Range{From: time.Unix(0, 0), To: time.Unix(1, 0)}
	recent, recentArgs := nextStatement(query.DiffQuery{WithText: true, Limit: 50})
	var below where
	below.below("file_path", "/a")
	versions, versionsArgs := versionsStatement(query.VersionQuery{Path: "/a", Before: 9, Limit: 50})
	made, madeArgs := madeStatement(query.VersionQuery{Filter: query.Filter{Prefix: "/a"}})
	some, someArgs := versionsStatement(query.VersionQuery{Path: "/a", Before: 9, Limit: 50, Filter: query.Filter{Range: r, Types: []query.ChangeType{query.Created}}})
	var got strings.Builder
	for _, p := range []struct {
		name, statement string
		args            []any
	}{
		{"recent diffs", recent, recentArgs},
		{"diffs by id", byIDStatement(query.DiffQuery{}), []any{"[]"}},
		{"what stands behind long diffs", selectLong, []any{"[]", 1}},
		{"are the steps of a folder few", fewStatement(below), append(below.args, 1)},
		{"steps of a folder with few", belowStatement(below, true), below.args},
		{"are the paths of a folder few", fewPathsStatement(below), append(below.args, 1)},
		{"paths of a folder with few", pathsBelowStatement(below), below.args},
		{"where the newest blocks lie", selectNewestBlocks, []any{9, 1}},
		{"where the oldest blocks lie", selectOldestBlocks, []any{9, 1}},
		{"blocks", selectData, []any{1, 2}},
		{"the block of a step", selectBlockOf, []any{1}},
		{"paths by number", selectPaths, []any{"[]"}},
		{"rows that no block holds", rowsStatement(true, false), []any{1, 9, 512}},
		{"numbers of the paths of a folder", pathNumbersStatement(below), below.args},
		{"the most of them", selectMostPath, nil},
		{"where all blocks lie", packedAllBlocks, nil},
		{"do the blocks add up", selectTotals, []any{1}},
		{"where rows and blocks end", sqlite.StepsEnd, nil},
		{"time of a step", selectTime, []any{1}},
		{"rows to count that no block holds", selectCounted, []any{1, 9, 512}},
		{"names of paths", selectNames, []any{1, 9}},
		{"last diff", selectLast, nil},
		{"versions of a path", versions, versionsArgs},
		{"versions of a path in a range, of a type", some, someArgs},
		{"versions that steps have made", made, append([]any{"[]"}, madeArgs...)},
		{"files of a folder at a time", selectFilesAt, []any{"/a", "/a/", "/a0", 1, "", 50, 9, 9}},
		{"content of a version", selectContent, []any{1, 1}},
		{"files of a topic", selectTopicFiles, []any{1, "go", 1, "", 50}},
		{"did summaries come or go", selectTermsStamp, nil},
		{"summaries", selectEntries, nil},
		{"their topics", selectEntryTopics, nil},
		{"topics of analyses", selectAnalysisTopics, nil},
	} {
		text := plan(t, s, p.statement, p.args)
		fmt.Fprintf(&got, "%s\n%s\n", p.name, text)
		if scanned := tableScan.FindString(text); (scanned != "") != (scans[p.name] != "") {
			t.Errorf("%s: %q, reason %q: name every statement that reads a whole table, and why it may", p.name, scanned, scans[p.name])
		}
	}
	golden(t, filepath.Join("testdata", "plans.golden"), got.String())
}

func plan(t *testing.T, s *Store, statement string, args []any) string {
	t.Helper()
	rows, err := s.database.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	defer rows.Close()
	var text strings.Builder
	depth := map[int]int{0: 0}
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		depth[id] = depth[parent] + 1
		fmt.Fprintf(&text, "%s%s\n", strings.Repeat("  ", depth[id]), detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// What an old file lacks is stood in for: by nothing for a table, NULL for a column.
func TestStandIns(t *testing.T) {
	path := sqlitetest.Legacy(t)
	db := sqlitetest.Adopted(t, path)
	exec(t, db, "DROP TABLE semantic_keywords")
	exec(t, db, "ALTER TABLE semantic_analysis DROP COLUMN summary")
	s := serve(t, path)
	page, err := s.TopicFiles(t.Context(), query.TopicQuery{Topic: "databases", Limit: 10})
	if err != nil || len(page.Items) != 2 || page.Items[0].Summary != "" {
		t.Errorf("files of a topic without summaries are %+v, %v", page.Items, err)
	}
	_, keywords, err := s.Terms(t.Context(), wholeRange, "", 20)
	want := []query.TermCount{{Term: "café", Count: 1}, {Term: "milk", Count: 1}, {Term: "plan", Count: 1}}
	if diff := cmp.Diff(want, keywords); diff != "" || err != nil {
		t.Errorf("keywords without their table: %v (-want +got):\n%s", err, diff)
	}
}

// Old Python releases made semantic_analysis without a column id.
func TestAnalysesWithoutID(t *testing.T) {
	path := sqlitetest.Legacy(t)
	db := sqlitetest.Adopted(t, path)
	exec(t, db, "DROP TABLE semantic_analysis")
	exec(t, db, "CREATE TABLE semantic_analysis (file_path TEXT, content_hash TEXT, summary TEXT, topics TEXT, keywords TEXT, impact_level TEXT, timestamp DATETIME)")
	exec(t, db, `INSERT INTO semantic_analysis VALUES ('/x', '', 'first', 'zebra, Lion', 'k', '', '2024-03-05 10:00:00'),
		('/x', '', 'second', '["ZEBRA","a,b"]', NULL, '', '2024-03-06T10:00:00'), ('/y', '', 'third', ' zebra ,zebra', '', '', 1709700000)`)
	s := serve(t, path)
	page, err := s.TopicFiles(t.Context(), query.TopicQuery{Topic: "zebra", Limit: 10})
	got := map[string]int64{}
	for _, f := range page.Items {
		got[f.Path] = f.Entries
	}
	if diff := cmp.Diff(map[string]int64{"/x": 2, "/y": 1}, got); diff != "" || err != nil {
		t.Errorf("case 58: entries of a topic: %v (-want +got):\n%s", err, diff)
	}
	topics, _, err := s.Terms(t.Context(), wholeRange, "/y", 20)
	if err != nil || len(topics) != 1 || topics[0].Count != 1 {
		t.Errorf("case 58: topics are %v, %v", topics, err)
	}
}
