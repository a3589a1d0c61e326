package store

import (
	"context"
	"database/sql"
	"math"
	"strings"
	"time"

	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/query-service/internal/query"
)

// mentions is every entry that bears a term, once for each, from both of the
// places where the Python side leaves them. In semantic_analysis a list of terms
// is a JSON array or separated by commas (case 58): the latter is made the former.
const mentions = `(
	SELECT t.TERM AS term, 'e' || e.id AS entry, ifnull(e.file_path, v.file_path) AS file_path,
		obby_time(e.timestamp) AS at, ifnull(e.summary, '') AS summary
	FROM semantic_TERMs t
	JOIN semantic_entries e ON e.id = t.entry_id
	LEFT JOIN file_versions v ON v.id = e.version_id
	UNION ALL
	SELECT trim(CAST(t.value AS TEXT)), 'a' || a.id, a.file_path, obby_time(a.timestamp), ifnull(a.summary, '')
	FROM semantic_analysis a,
		` + splitTerms + `
	WHERE trim(CAST(t.value AS TEXT)) <> ''
) m`

// splitTerms makes rows t of a row's list of terms.
const splitTerms = `json_each(CASE WHEN ltrim(a.TERMs) LIKE '[%' AND json_valid(a.TERMs) THEN a.TERMs
	ELSE '[' || replace(json_quote(CAST(ifnull(a.TERMs, '') AS TEXT)), ',', '","') || ']' END) t`

var topicMentions = strings.ReplaceAll(mentions, "TERM", "topic")

// never stands for a time that is unreadable: it sorts before every other.
const never = math.MinInt64

// NOCASE knows ASCII letters only, which is what the contract promises. The
// summary is that of the row that max() found.
var selectTopicFiles = `SELECT file_path, entries, latest, summary FROM (
	SELECT m.file_path, count(DISTINCT m.entry) AS entries, max(ifnull(m.at, ?1)) AS latest, m.summary
	FROM ` + topicMentions + `
	WHERE m.term = ?2 COLLATE NOCASE AND m.file_path IS NOT NULL
	GROUP BY m.file_path)
WHERE latest < ?3 OR latest = ?3 AND file_path > ?4
ORDER BY latest DESC, file_path LIMIT ?5`

const selectSummarized = `SELECT EXISTS (SELECT 1 FROM semantic_entries) OR EXISTS (SELECT 1 FROM semantic_analysis)
	OR EXISTS (SELECT 1 FROM semantic_topics)`

// Summarized implements query.Finder.
func (s *Store) Summarized(ctx context.Context) (found bool, err error) {
	err = s.each(ctx, selectSummarized, nil, func(rows *sql.Rows) error { return rows.Scan(&found) })
	return found, err
}

// TopicFiles implements query.Finder.
func (s *Store) TopicFiles(ctx context.Context, q query.TopicQuery) (query.Page[query.TopicFile], error) {
	latest, path := int64(math.MaxInt64), ""
	if q.After != nil {
		latest, path = never, rawpath.Encode(q.After.Path)
		if !q.After.Latest.IsZero() {
			latest = q.After.Latest.UnixMicro()
		}
	}
	args := []any{int64(never), q.Topic, latest, path}
	return page(ctx, s, selectTopicFiles, args, q.Limit, func(rows *sql.Rows) (query.TopicFile, error) {
		var f query.TopicFile
		var at int64
		err := rows.Scan(&f.Path, &f.Entries, &at, &f.Summary)
		f.Path, f.Summary = rawpath.Decode(f.Path), valid(f.Summary)
		if at != never {
			f.Latest = time.UnixMicro(at).UTC()
		}
		return f, err
	})
}
