package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"

	"github.com/obby/go-services/internal/stepindex"
	"github.com/obby/go-services/query-service/internal/query"
)

const (
	// blocksAtOnce is of how many blocks it is read at once where they lie. A short
	// page needs one of them, a rare path all.
	blocksAtOnce = 64
	// readAhead is how many blocks are read with one statement once the first was not
	// enough.
	readAhead = 8
	// rowsAtOnce is how many rows are read at once where no block holds them.
	rowsAtOnce = 512
)

// walk goes through the steps between two ids, exclusive both, oldest or newest first:
// by the blocks of the step index, and by rows where there is none. It leaves out
// blocks without a step in the range, nothing else. visit says whether to go on; it
// may run statements.
type walk struct {
	asker
	after, before int64
	r             query.Range
	oldest        bool
	unsure        bool // rows may lie where the walk stands, oldest first
	checked       bool // it was looked whether the blocks are stale
	stale         bool // the blocks are of other rows: the walk goes by rows
	ahead         []*stretch
}

func newWalk(a asker, q query.DiffQuery) *walk {
	w := &walk{asker: a, after: q.After, before: q.Before, r: q.Range, oldest: q.Oldest, unsure: true}
	if w.before <= 0 {
		w.before = math.MaxInt64
	}
	return w
}

// Where blocks lie, newest first and oldest first. Whether rows lie behind a block,
// before the next one, is looked up where the ids leave room for any.
const (
	selectBlocks = `SELECT %s FROM (
	SELECT first_id, last_id, min_time, max_time, next > last_id + 1 AND EXISTS (
		SELECT 1 FROM content_diffs WHERE id > last_id AND id < next) AS behind FROM (
		SELECT first_id, last_id, min_time, max_time,
			ifnull((SELECT min(n.first_id) FROM obby_steps n WHERE n.first_id > s.first_id), 9223372036854775807) AS next
		FROM obby_steps s WHERE %s LIMIT ?2+0))`
	newestBlocks = "first_id < ?1 ORDER BY first_id DESC"
	oldestBlocks = "first_id >= ifnull((SELECT max(first_id) FROM obby_steps WHERE first_id <= ?1 + 1), 0) ORDER BY first_id"
	selectData   = "SELECT last_id, data FROM obby_steps WHERE first_id BETWEEN ? AND ? ORDER BY first_id"
)

var (
	selectNewestBlocks = fmt.Sprintf(selectBlocks, blockColumns, newestBlocks)
	selectOldestBlocks = fmt.Sprintf(selectBlocks, blockColumns, oldestBlocks)
	blockColumns       = packed(number("first_id"), number("last_id"), number("min_time"), number("max_time"), number("behind"))
)

// lying is a block's place.
type lying struct {
	first, last int64
	times       span // of its steps
	behind      bool // rows lie between it and the next block
}

// span is two bounds, inclusive both; the zero span of a block has no time.
type span struct {
	from, to int64
	any      bool
}

// meets reports whether a step of the span can be in the range.
func (s span) meets(r query.Range) bool {
	from, last := r.Micros()
	return r == query.Range{} || s.any && s.from <= last && from <= s.to
}

func (w *walk) run(ctx context.Context, visit func(*stretch) (bool, error)) error {
	for {
		blocks, err := w.blocks(ctx)
		if err != nil {
			return err
		}
		for i := range blocks {
			if more, err := w.block(ctx, blocks[i:], visit); err != nil || !more {
				return err
			}
		}
		if len(blocks) < blocksAtOnce {
			_, err := w.rows(ctx, w.after, w.before, visit)
			return err
		}
	}
}

// blocks returns where the next blocks lie.
func (w *walk) blocks(ctx context.Context) ([]lying, error) {
	if !w.checked {
		well, err := endsWell(ctx, w.asker)
		if err != nil {
			return nil, err
		}
		w.checked, w.stale = true, !well
	}
	if w.stale {
		return nil, nil
	}
	statement, from := selectNewestBlocks, w.before
	if w.oldest {
		statement, from = selectOldestBlocks, w.after
	}
	u, err := w.packed(ctx, statement, from, blocksAtOnce)
	if err != nil {
		return nil, err
	}
	var blocks []lying
	for u.more() {
		b, _ := readLying(u)
		blocks = append(blocks, b)
	}
	return blocks, nil
}

// block visits the first of some blocks, and before it in the walk's order the rows
// between it and where the walk stands; then the walk stands at its other side.
func (w *walk) block(ctx context.Context, blocks []lying, visit func(*stretch) (bool, error)) (more bool, err error) {
	b := blocks[0]
	if w.oldest {
		if w.unsure {
			if more, err = w.rows(ctx, w.after, min(b.first, w.before), visit); err != nil || !more {
				return false, err
			}
		}
		if more, err = w.steps(ctx, blocks, visit); err != nil || !more {
			return false, err
		}
		w.after, w.unsure = max(w.after, b.last), b.behind
		return true, nil
	}
	if b.behind {
		if more, err = w.rows(ctx, max(b.last, w.after), w.before, visit); err != nil || !more {
			return false, err
		}
	}
	if more, err = w.steps(ctx, blocks, visit); err != nil || !more {
		return false, err
	}
	w.before = min(w.before, b.first)
	return true, nil
}

// steps visits the steps of the first of some blocks: its rows, where it is not there
// any more or cannot be read.
func (w *walk) steps(ctx context.Context, blocks []lying, visit func(*stretch) (bool, error)) (more bool, err error) {
	b := blocks[0]
	switch {
	case w.oldest && b.first >= w.before, !w.oldest && b.last <= w.after:
		return false, nil // the walk has come to its end
	case b.last <= w.after, b.first >= w.before, !b.times.meets(w.r):
		return true, nil
	}
	st, ok := w.taken(b)
	if !ok {
		if err := w.read(ctx, blocks); err != nil {
			return false, err
		}
		if st, ok = w.taken(b); !ok {
			return w.rows(ctx, max(b.first-1, w.after), min(b.last+1, w.before), visit)
		}
	}
	return visit(st.between(w.after, w.before)) // part of it, where blocks were packed anew meanwhile
}

// taken returns a block that was read.
func (w *walk) taken(b lying) (*stretch, bool) {
	for _, st := range w.ahead {
		if n := st.Len(); n > 0 && st.ID[0] == b.first && st.ID[n-1] == b.last {
			return st, true
		}
	}
	return nil, false
}

// read reads the first of some blocks, and those behind it too once one was not enough.
func (w *walk) read(ctx context.Context, blocks []lying) error {
	n := 1
	if len(w.ahead) > 0 {
		for n < min(readAhead, len(blocks)) && blocks[n].times.meets(w.r) {
			n++
		}
	}
	for len(w.ahead) < n {
		w.ahead = append(w.ahead, &stretch{})
	}
	from, to := blocks[0].first, blocks[n-1].first
	i := 0
	return w.each(context.WithoutCancel(ctx), selectData, []any{min(from, to), max(from, to)}, func(rows *sql.Rows) error {
		var last int64
		var data sql.RawBytes
		if err := rows.Scan(&last, &data); err != nil || i == len(w.ahead) {
			return err
		}
		if w.ahead[i].Decode(data) != nil {
			w.ahead[i].Block = stepindex.Block{}
		}
		i++
		return nil
	})
}

// What a block would hold of rows. The time stands behind the diff, so it is read only
// where it is asked for.
const selectRows = `SELECT %s FROM (SELECT id, file_path, change_type%s FROM content_diffs WHERE id > ? AND id < ? ORDER BY id%s LIMIT ?+0)`

var (
	rowColumns      = []string{number("id"), text("file_path"), text("change_type")}
	rowColumnsTimed = append(slices.Clone(rowColumns), stamp("timestamp"))
)

func rowsStatement(timed, oldest bool) string {
	columns, with, order := rowColumns, "", " DESC"
	if timed {
		columns, with = rowColumnsTimed, ", timestamp"
	}
	if oldest {
		order = ""
	}
	return fmt.Sprintf(selectRows, packed(columns...), with, order)
}

// rows visits the rows between two ids.
func (w *walk) rows(ctx context.Context, after, before int64, visit func(*stretch) (bool, error)) (more bool, err error) {
	timed := w.r != query.Range{}
	statement := rowsStatement(timed, w.oldest)
	for after+1 < before {
		u, err := w.packed(ctx, statement, after, before, rowsAtOnce)
		if err != nil {
			return false, err
		}
		st := readRows(u, timed)
		n := st.Len()
		if n == 0 {
			return true, nil
		}
		if w.oldest {
			after = st.ID[n-1]
		} else {
			st.reverse()
			before = st.ID[0]
		}
		if more, err := visit(st); err != nil || !more {
			return false, err
		}
		if n < rowsAtOnce {
			return true, nil
		}
	}
	return true, nil
}
