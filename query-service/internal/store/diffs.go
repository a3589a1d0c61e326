package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/obby/go-services/internal/stepindex"
	"github.com/obby/go-services/query-service/internal/query"
)

// shortDiff is up to how many bytes of diff a row most probably lies on one page of the
// database, of 4 or of 8 KiB. The lines and the time stand behind the diff: of a longer
// one all its pages are read for them.
const shortDiff = 3 << 10

// selectDiffs packs the steps that picked names. What stands behind the diff is left
// out where that is long, and the diff itself too: a row may hold 100 MB of it (case 22).
const (
	selectDiffs = "SELECT %s FROM (%s) picked CROSS JOIN content_diffs d ON d.id = picked.id LEFT JOIN obby_diffs o ON o.diff_id = d.id"
	pickedByID  = "SELECT value AS id FROM json_each(?)"
	pickedNext  = "SELECT id FROM content_diffs WHERE id > ? AND id < ? ORDER BY id%s LIMIT ?+0"
)

var (
	diffColumns = []string{
		number("d.id"), text("d.file_path"), text("o.old_path"), text("d.change_type"),
		number("d.old_version_id"), number("d.new_version_id"), number("o.truncated"), number(diffLength),
	}
	behindColumns = []string{number("d.lines_added"), number("d.lines_removed"), stamp("d.timestamp")}

	basicColumns = packed(append(slices.Clone(diffColumns), ifShort(behindColumns...))...)
	fullColumns  = packed(append(slices.Clone(diffColumns), ifShort(append(slices.Clone(behindColumns), text("d.diff_content"))...))...)

	// The cut text of a long diff stands there once: it is not cheap.
	selectLong = "SELECT " + packed(append(append([]string{number("d.id")}, behindColumns...),
		"min("+diffLength+", ?2) || ':' || substr(CAST(d.diff_content AS BLOB), 1, ?2)")...) +
		" FROM json_each(?1) j CROSS JOIN content_diffs d ON d.id = j.value"
)

// SQLite takes a length from the row's header.
const diffLength = "ifnull(octet_length(d.diff_content), 0)"

func ifShort(columns ...string) string {
	return fmt.Sprintf("CASE WHEN %s <= %d THEN %s ELSE '' END", diffLength, shortDiff, strings.Join(columns, " || "))
}

// row is a Diff that was not read to its end.
type row struct {
	query.Diff
	length int64 // bytes of its diff
	whole  bool  // lines, time and, where it was asked for, the diff are there
}

// Diffs implements query.DiffStore.
func (s *Store) Diffs(ctx context.Context, q query.DiffQuery) (query.Page[query.Diff], error) {
	if isFirst(q) {
		return s.newest(ctx, q)
	}
	return s.diffs(ctx, q)
}

func (s *Store) diffs(ctx context.Context, q query.DiffQuery) (query.Page[query.Diff], error) {
	for {
		steps, last, err := s.rowsOf(ctx, q)
		if err != nil {
			return query.Page[query.Diff]{}, err
		}
		page := cut(q, steps)
		page.More = page.More || last != 0
		if len(page.Items) > 0 || !page.More {
			return s.complete(ctx, q, page)
		}
		// All of them were removed since they were packed.
		if q.Oldest {
			q.After = last
		} else {
			q.Before = last
		}
	}
}

// rowsOf reads the next steps that pass a filter: those of a page and, where there are
// so many, one more, whose id is last.
func (s *Store) rowsOf(ctx context.Context, q query.DiffQuery) (steps []row, last int64, err error) {
	var u *unpacker
	if !q.Filtered() {
		statement, args := nextStatement(q)
		u, err = s.packed(ctx, statement, args...)
	} else {
		var ids []int64
		if ids, err = pick(ctx, s, q); err != nil || len(ids) == 0 {
			return nil, 0, err
		}
		if len(ids) > q.Limit {
			last = ids[q.Limit]
		}
		u, err = s.packed(ctx, byIDStatement(q), list(ids))
	}
	if err != nil {
		return nil, 0, err
	}
	for u.more() {
		d := readRow(u, q.WithText)
		if q.OfPaths() && !q.Path(d.Path) || len(q.Types) > 0 && !slices.Contains(q.Types, d.Type) || d.whole && !q.Range.Has(d.Observed) {
			continue // its id was given to another step: case 60's lesser kin
		}
		steps = append(steps, d)
	}
	if !q.Filtered() && len(steps) > q.Limit {
		last = steps[q.Limit].ID
	}
	return steps, last, nil
}

func columnsOf(q query.DiffQuery) string {
	if q.WithText {
		return fullColumns
	}
	return basicColumns
}

func nextStatement(q query.DiffQuery) (string, []any) {
	order := " DESC"
	if q.Oldest {
		order = ""
	}
	w := newWalk(nil, q)
	return fmt.Sprintf(selectDiffs, columnsOf(q), fmt.Sprintf(pickedNext, order)), []any{w.after, w.before, q.Limit + 1}
}

func byIDStatement(q query.DiffQuery) string {
	return fmt.Sprintf(selectDiffs, columnsOf(q), pickedByID)
}

func readRow(u *unpacker, withText bool) row {
	d := row{Diff: query.Diff{ID: u.number(), Path: u.path(), OldPath: u.path()}}
	kind, _ := u.text()
	d.Type = query.ChangeType(kind)
	d.OldVersion, d.NewVersion = u.number(), u.number()
	d.Truncated = u.number() != 0
	d.length = u.number()
	if d.length <= shortDiff {
		d.whole = true
		d.Added, d.Removed, d.Observed = u.number(), u.number(), u.time()
		if withText {
			d.setText(u)
		}
	}
	return d
}

func (d *row) setText(u *unpacker) {
	stored, _ := u.text()
	var cut bool
	d.Text, cut = cutText(stored, query.MaxDiffText)
	d.Truncated = d.Truncated || cut
}

// cut ends a page where it is full, in number or in bytes.
func cut(q query.DiffQuery, steps []row) query.Page[row] {
	var page query.Page[row]
	size := 0
	for i, d := range steps {
		size += d.Size()
		if q.WithText && !d.whole {
			size += int(min(d.length, query.MaxDiffText))
		}
		if page.More = i == q.Limit || size > query.PageBytes && i > 0; page.More {
			break
		}
		page.Items = append(page.Items, d)
	}
	return page
}

// complete reads what is missing of the steps of a page.
func (s *Store) complete(ctx context.Context, q query.DiffQuery, page query.Page[row]) (query.Page[query.Diff], error) {
	if !q.WithText {
		if err := s.fromBlocks(ctx, page.Items); err != nil {
			return query.Page[query.Diff]{}, err
		}
	}
	if err := s.fromRows(ctx, page.Items, q.WithText); err != nil {
		return query.Page[query.Diff]{}, err
	}
	whole := query.Page[query.Diff]{More: page.More, Items: make([]query.Diff, 0, len(page.Items))}
	for _, d := range page.Items {
		whole.Items = append(whole.Items, d.Diff)
	}
	return whole, nil
}

const selectBlockOf = "SELECT data FROM obby_steps WHERE first_id = (SELECT max(first_id) FROM obby_steps WHERE first_id <= ?)"

// fromBlocks reads lines and times of steps with a long diff from the step index.
func (s *Store) fromBlocks(ctx context.Context, steps []row) error {
	var block stepindex.Block
	for i := range steps {
		d := &steps[i]
		if d.whole || d.from(&block) {
			continue
		}
		err := s.each(ctx, selectBlockOf, []any{d.ID}, func(rows *sql.Rows) error {
			var data sql.RawBytes
			if err := rows.Scan(&data); err != nil {
				return err
			}
			if err := block.Decode(data); !errors.Is(err, stepindex.ErrFormat) {
				return err
			}
			block = stepindex.Block{}
			return nil
		})
		if err != nil {
			return err
		}
		d.from(&block)
	}
	return nil
}

// from takes lines and time from a block, where that has the step.
func (d *row) from(block *stepindex.Block) bool {
	i, ok := slices.BinarySearch(block.ID, d.ID)
	if ok {
		d.Added, d.Removed, d.Observed, d.whole = block.Added[i], block.Removed[i], instant(block.Time[i]), true
	}
	return ok
}

// fromRows reads what is missing still from behind the diffs. A row that has gone
// meanwhile keeps what is known of it.
func (s *Store) fromRows(ctx context.Context, steps []row, withText bool) error {
	missing := map[int64]*row{}
	var ids []int64
	for i := range steps {
		if !steps[i].whole {
			missing[steps[i].ID] = &steps[i]
			ids = append(ids, steps[i].ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	limit := 0
	if withText {
		limit = query.MaxDiffText + utf8.UTFMax // so that cutText never sees half a character
	}
	u, err := s.packed(ctx, selectLong, list(ids), limit)
	if err != nil {
		return err
	}
	for u.more() {
		d := missing[u.number()]
		d.Added, d.Removed, d.Observed = u.number(), u.number(), u.time()
		if withText {
			d.setText(u)
		} else {
			u.text()
		}
	}
	return nil
}

// cutText returns the first characters of a text, as many as fit into limit, and
// whether that leaves any out.
func cutText(text string, limit int) (string, bool) {
	text = valid(text)
	if len(text) <= limit {
		return text, false
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit], true
}
