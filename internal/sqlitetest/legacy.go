package sqlitetest

import (
	"crypto/sha256"
	"database/sql"
	_ "embed" // the tables
	"encoding/hex"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3" // as the Python backend would: no hook of ours
)

//go:embed legacy.sql
var legacySchema string

// The paths of a Legacy file.
const (
	NotePath  = "/home/ann/notes/todo.md"         // created, modified, and back to its first content
	PlanPath  = "/home/ann/notes/Pläne 2024.md"   // a space and an umlaut; topics "go" and "planning"
	GonePath  = "/home/ann/notes/old.txt"         // created and deleted
	FromPath  = "/home/ann/notes/ideas.md"        // moved to MovedPath
	MovedPath = "/home/ann/notes/done/ideas.md"   // its version 6 has the content of version 5
	LogPath   = "/home/ann/notes/app_100%.log"    // characters that LIKE gives a meaning to
	OtherPath = "/home/ann/notes-other/golang.md" // not below /home/ann/notes; topic "golang"
)

// The ids of the rows of file_versions, and the contents.
const (
	NoteFirst, NoteFirstText   = 1, "buy milk\n"
	NoteSecond, NoteSecondText = 2, "buy milk\nbuy bread\n"
	PlanVersion, PlanText      = 3, "# Pläne\ngo to the café\n"
	GoneVersion, GoneText      = 4, "obsolete\n"
	FromVersion, MovedText     = 5, "an idea\n"
	MovedVersion               = 6 // MovedText at MovedPath
	LogVersion, LogText        = 7, "started\n"
	OtherVersion, OtherText    = 8, "golang everywhere\n"
)

// The forms of a stored time. The texts without an offset are local time.
const (
	TimeMicros  = "2024-03-05 10:11:12.123456"
	TimeSeconds = "2024-03-05 10:11:13"
	TimeT       = "2024-03-05T10:11:12.5"            // earlier than TimeSeconds, but a greater text
	TimeOffset  = "2024-03-05T12:00:00.000001+02:00" // 10:00 UTC
	TimeInteger = 1709633472                         // 10:11:12 UTC of the same day
	TimeReal    = 1709633472.25
)

// NoteDiff is a diff as the Python side stores it: an extra blank line after
// every line, so that no tool can apply it.
const NoteDiff = "--- a/todo.md\n\n+++ b/todo.md\n\n@@ -1 +1,2 @@\n\n buy milk\n\n+buy bread\n\n"

// Hash returns the content_hash of a text with LF line ends.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Legacy returns the path of a file as the existing Python backend would have
// made it, with a few rows of every kind. It is closed, in WAL mode, and has
// none of our tables.
func Legacy(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "obby.db")
	db, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_foreign_keys=1")
	if err != nil {
		t.Fatalf("make a legacy database: %v", err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(legacySchema); err != nil {
		t.Fatalf("make a legacy database: %v", err)
	}
	for _, rows := range []struct {
		into   string
		values [][]any
	}{
		{"file_versions (id, file_path, content_hash, content, line_count, timestamp, change_description, created_at)", legacyVersions()},
		{"content_diffs (id, file_path, old_version_id, new_version_id, change_type, diff_content, lines_added, lines_removed, timestamp, created_at)", legacyDiffs},
		{"file_changes (file_path, change_type, old_content_hash, new_content_hash, timestamp, content_hash, created_at)", legacyChanges()},
		{"events (type, path, timestamp, size, processed)", legacyEvents},
		{"file_states (file_path, content_hash, last_modified, line_count, file_size, updated_at)", legacyStates()},
		{"semantic_entries (id, version_id, timestamp, date, time, type, summary, impact, file_path, searchable_text, created_at)", legacyEntries},
		{"semantic_search (rowid, summary, searchable_text)", legacySearch},
		{"semantic_topics (entry_id, topic)", legacyTopics},
		{"semantic_keywords (entry_id, keyword)", legacyKeywords},
		{"semantic_analysis (file_path, content_hash, summary, topics, keywords, impact_level, timestamp)", legacyAnalysis()},
	} {
		insert(t, db, rows.into, rows.values)
	}
	return path
}

func insert(t testing.TB, db *sql.DB, into string, rows [][]any) {
	t.Helper()
	for _, row := range rows {
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(row)), ", ")
		if _, err := db.Exec("INSERT INTO "+into+" VALUES ("+marks+")", row...); err != nil {
			t.Fatalf("insert into %s: %v", into, err)
		}
	}
}
