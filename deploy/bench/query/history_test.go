package main

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/obby/go-services/internal/sqlite"
)

// TestHistory checks that a generated database is one that the tracker could have
// written: every step turns its old version into its new one, times ascend, and
// every path's head is the version of its last step.
func TestHistory(t *testing.T) {
	size := extent{versions: 3000, files: 200, bytes: 800}
	path, err := generate(t.Context(), t.TempDir(), size)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Reader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for query, want := range map[string]string{
		`PRAGMA integrity_check`:                              "ok",
		`PRAGMA journal_mode`:                                 "wal",
		`SELECT count(*) FROM file_versions`:                  fmt.Sprint(size.versions),
		`SELECT count(DISTINCT file_path) FROM file_versions`: fmt.Sprint(size.files),
		`SELECT count(*) FROM pragma_foreign_key_check`:       "0",
		`SELECT count(*) > 0 FROM semantic_topics`:            "1",
		`SELECT count(*) > 0 FROM semantic_keywords`:          "1",
		`SELECT max(obby_time(timestamp)) - min(obby_time(timestamp)) > 360 * 86400000000 FROM content_diffs`: "1",
		`SELECT count(*) FROM content_diffs a JOIN content_diffs b ON b.id = a.id + 1
			WHERE obby_time(b.timestamp) < obby_time(a.timestamp) - 3600000000`: "0", // an hour comes twice where clocks change
		`SELECT count(*) <= 1 FROM content_diffs a JOIN content_diffs b ON b.id = a.id + 1
			WHERE obby_time(b.timestamp) < obby_time(a.timestamp)`: "1",
		`SELECT count(*) FROM file_states s JOIN content_diffs d ON d.id = (SELECT max(id) FROM content_diffs WHERE file_path = s.file_path)
			LEFT JOIN file_versions v ON v.id = d.new_version_id WHERE s.content_hash IS NOT v.content_hash`: "0",
	} {
		var got string
		if err := db.QueryRowContext(t.Context(), query).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, %v, want %q", query, got, err, want)
		}
	}
	checkSteps(t, db)
}

func checkSteps(t *testing.T, db *sql.DB) {
	rows, err := db.QueryContext(t.Context(), `SELECT d.change_type, ifnull(o.content, ''), ifnull(n.content, ''), d.diff_content,
		d.lines_added, d.lines_removed FROM content_diffs d
		LEFT JOIN file_versions o ON o.id = d.old_version_id LEFT JOIN file_versions n ON n.id = d.new_version_id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	seen := map[string]int{}
	for rows.Next() {
		var kind, before, after, diff string
		var added, removed int
		if err := rows.Scan(&kind, &before, &after, &diff, &added, &removed); err != nil {
			t.Fatal(err)
		}
		seen[kind]++
		if got, plus, minus := apply(t, before, diff); got != after || plus != added || minus != removed {
			t.Fatalf("+%d -%d, want +%d -%d, or the content is another:\n%s", plus, minus, added, removed, diff)
		}
	}
	if err := rows.Err(); err != nil || len(seen) != 3 {
		t.Errorf("steps are %v, %v, want created, modified and deleted ones", seen, err)
	}
}

// apply applies a diff of one hunk, whose old lines must be those of the content.
func apply(t *testing.T, before, diff string) (after string, added, removed int) {
	t.Helper()
	lines := strings.SplitAfter(before, "\n")
	parts := strings.SplitAfterN(diff, "\n", 4)
	old, _, _ := strings.Cut(strings.TrimPrefix(parts[2], "@@ -"), " ")
	var at, count int
	if n, _ := fmt.Sscanf(old, "%d,%d", &at, &count); n < 2 {
		count = 1
	}
	if count > 0 {
		at-- // a range without lines names the one before it
	}
	out := strings.Join(lines[:at], "")
	for _, line := range strings.SplitAfter(strings.TrimSuffix(parts[3], "\n")+"\n", "\n") {
		if line == "" {
			continue
		}
		if line[0] != '+' {
			if lines[at] != line[1:] {
				t.Fatalf("line %d is %q, but in the diff %q", at+1, lines[at], line[1:])
			}
			at++
		}
		switch line[0] {
		case '-':
			removed++
			continue
		case '+':
			added++
		}
		out += line[1:]
	}
	return out + strings.Join(lines[at:], ""), added, removed
}

func TestRhythm(t *testing.T) {
	end := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := newRhythm(end)
	last := r.start
	byDay, byNight := 0, 0
	for i := range 10_000 {
		at := r.at(float64(i) / 10_000)
		if at.Before(last) || at.After(end) {
			t.Fatalf("%v comes after %v", at, last)
		}
		last = at
		switch hour := at.Local().Hour(); {
		case hour >= 8 && hour < 18:
			byDay++
		case hour < 6:
			byNight++
		}
	}
	if last.Before(end.Add(-72*time.Hour)) || byDay < 50*byNight {
		t.Errorf("the last is at %v, %d by day and %d by night", last, byDay, byNight)
	}
}

func TestVocabulary(t *testing.T) {
	seen := map[string]bool{}
	for _, word := range vocabulary {
		seen[word] = true
	}
	if len(seen) != vocabularySize {
		t.Errorf("%d different words, want %d", len(seen), vocabularySize)
	}
}

func TestExtents(t *testing.T) {
	good := options{versions: "100,200", files: 100, bytes: 2000, seconds: 1}
	if all, err := good.extents(); err != nil || len(all) != 2 || all[1].versions != 200 {
		t.Errorf("extents are %v, %v", all, err)
	}
	for name, spoil := range map[string]func(*options){
		"too few versions": func(o *options) { o.versions = "99" },
		"no number":        func(o *options) { o.versions = "many" },
		"no files":         func(o *options) { o.files = 0 },
		"no time":          func(o *options) { o.seconds = 0 },
		"nowhere to keep":  func(o *options) { o.onlyPrepare = true },
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			spoil(&o)
			if _, err := o.extents(); err == nil {
				t.Error("it was accepted")
			}
		})
	}
}
