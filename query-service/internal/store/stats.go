package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/obby/go-services/internal/stepindex"
	"github.com/obby/go-services/query-service/internal/query"
)

// counter reads steps to be counted, all of one state of the database.
type counter struct {
	source
	r      query.Range
	prefix string
	below  []bool // by obby_paths.path_id: it is at or below prefix; nil: every path is
	most   int64  // the largest path_id
	count  func(*stepindex.Block)
	others map[string]int64 // numbers of paths that obby_paths lacks
}

// Steps implements query.ActivityStore.
func (s *Store) Steps(ctx context.Context, r query.Range, prefix string, count func(*stepindex.Block), name func(int64, string)) error {
	return s.snapshot(ctx, func(d source) error {
		c := &counter{source: d, r: r, prefix: prefix, count: count, others: map[string]int64{}}
		err := c.paths(ctx)
		if err == nil {
			err = c.steps(ctx)
		}
		if err == nil && name != nil {
			err = c.names(ctx, name)
		}
		return err
	})
}

const selectMostPath = "SELECT ifnull(max(path_id), 0) || ',' FROM obby_paths"

func (c *counter) paths(ctx context.Context) error {
	u, err := c.packed(ctx, selectMostPath)
	if err != nil {
		return err
	}
	c.most = u.number()
	var w where
	w.below("file_path", c.prefix)
	if len(w.args) == 0 {
		return nil
	}
	c.below = make([]bool, c.most+1)
	if u, err = c.packed(ctx, pathNumbersStatement(w), w.args...); err != nil {
		return err
	}
	for u.more() {
		c.below[u.number()] = true
	}
	return nil
}

func pathNumbersStatement(w where) string {
	return "SELECT " + packed(number("path_id")) + " FROM obby_paths" + w.String()
}

// selectAllBlocks selects where all blocks lie, and how many rows lie behind each.
const selectAllBlocks = `SELECT first_id, last_id, steps, min_time, max_time, CASE WHEN next > last_id + 1
	THEN (SELECT count(*) FROM content_diffs WHERE id > last_id AND id < next) ELSE 0 END AS behind
FROM (SELECT first_id, last_id, steps, min_time, max_time, lead(first_id, 1, 9223372036854775807) OVER (ORDER BY first_id) AS next FROM obby_steps)`

var (
	packedAllBlocks = "SELECT " + packed(number("first_id"), number("last_id"), number("min_time"), number("max_time"), number("behind"), number("steps")) +
		" FROM (" + selectAllBlocks + ")"
	// Rows before the first block, and all. The first count is of none, mostly.
	selectTotals = `SELECT (SELECT count(*) FROM content_diffs WHERE id < ?) || ',' || (SELECT count(*) FROM content_diffs) || ','`
)

// steps counts the steps of all blocks and of the rows between them. Where the numbers
// do not add up it counts all rows: another program has removed some.
func (c *counter) steps(ctx context.Context) error {
	u, err := c.packed(ctx, packedAllBlocks)
	if err != nil {
		return err
	}
	var blocks []lying
	inside, outside := int64(0), int64(0)
	for u.more() {
		b, behind := readLying(u)
		inside += u.number()
		outside += behind
		blocks = append(blocks, b)
	}
	if len(blocks) == 0 {
		return c.rows(ctx, 0, math.MaxInt64)
	}
	if u, err = c.packed(ctx, selectTotals, blocks[0].first); err != nil {
		return err
	}
	before, all := u.number(), u.number()
	whole, err := c.endsWell(ctx, blocks[len(blocks)-1])
	if err != nil {
		return err
	}
	if !whole || before+inside+outside != all {
		return c.rows(ctx, 0, math.MaxInt64)
	}
	if before > 0 {
		if err := c.rows(ctx, 0, blocks[0].first); err != nil {
			return err
		}
	}
	return c.blocks(ctx, blocks)
}

func readLying(u *unpacker) (b lying, behind int64) {
	b = lying{first: u.number(), last: u.number()}
	b.times.from, b.times.any = u.nullable()
	b.times.to = u.number()
	behind = u.number()
	b.behind = behind > 0
	return b, behind
}

var selectTime = "SELECT " + packed(stamp("timestamp")) + " FROM content_diffs WHERE id = ?"

// endsWell reports whether the last block's last step bears the time of its row: it does
// not where another program emptied the table and ids began anew.
func (c *counter) endsWell(ctx context.Context, b lying) (bool, error) {
	u, err := c.packed(ctx, selectTime, b.last)
	if err != nil || !u.more() {
		return false, err
	}
	at := u.micros()
	well := false
	err = c.data(ctx, b.first, b.first, func(last int64, block *stepindex.Block) error {
		well = block.Len() > 0 && block.Time[block.Len()-1] == at
		return nil
	})
	return well, err
}

// data reads the blocks between two first ids; of one that cannot be read it makes an
// empty one.
func (c *counter) data(ctx context.Context, from, to int64, block func(last int64, b *stepindex.Block) error) error {
	var b stepindex.Block
	return c.each(context.WithoutCancel(ctx), selectData, []any{from, to}, func(rows *sql.Rows) error {
		var last int64
		var data sql.RawBytes
		if err := errors.Join(rows.Scan(&last, &data), ctx.Err()); err != nil {
			return err
		}
		if b.Decode(data) != nil {
			b = stepindex.Block{}
		}
		return block(last, &b)
	})
}

// blocks counts the steps of blocks that meet the range, runs of them with a statement,
// and of the rows behind them.
func (c *counter) blocks(ctx context.Context, blocks []lying) error {
	for len(blocks) > 0 {
		n := 0
		for n < len(blocks) && blocks[n].times.meets(c.r) {
			n++
		}
		var damaged []lying
		if n > 0 {
			run := blocks[:n]
			i := 0
			err := c.data(ctx, run[0].first, run[n-1].first, func(_ int64, b *stepindex.Block) error {
				if b.Len() == 0 || slices.Max(b.Path) > c.most {
					damaged = append(damaged, run[i])
				} else {
					c.pass(b)
				}
				i++
				return nil
			})
			if err != nil {
				return err
			}
		}
		for _, b := range damaged {
			if err := c.rows(ctx, b.first-1, b.last+1); err != nil {
				return err
			}
		}
		if err := c.behind(ctx, blocks, max(n, 1)); err != nil {
			return err
		}
		blocks = blocks[max(n, 1):]
	}
	return nil
}

// behind counts the rows behind each of the first n of some blocks.
func (c *counter) behind(ctx context.Context, blocks []lying, n int) error {
	for i, b := range blocks[:n] {
		if !b.behind {
			continue
		}
		next := int64(math.MaxInt64)
		if i+1 < len(blocks) {
			next = blocks[i+1].first
		}
		if err := c.rows(ctx, b.last, next); err != nil {
			return err
		}
	}
	return nil
}

// pass counts the steps of a block that are at or below the prefix.
func (c *counter) pass(b *stepindex.Block) {
	if c.below != nil {
		n := 0
		for i, path := range b.Path {
			if c.below[path] {
				b.Time[n], b.Path[n], b.Type[n], b.Added[n], b.Removed[n] = b.Time[i], path, b.Type[i], b.Added[i], b.Removed[i]
				n++
			}
		}
		b.Time, b.Path, b.Type, b.Added, b.Removed = b.Time[:n], b.Path[:n], b.Type[:n], b.Added[:n], b.Removed[:n]
	}
	c.count(b)
}

// selectCounted is what a block would hold of rows. Their paths may have no number yet.
var selectCounted = "SELECT " + packed(number("id"), text("file_path"), text("change_type"), number("added"), number("removed"), stamp("timestamp"), number("path_id")) + `
FROM (SELECT d.id, d.file_path, d.change_type, CAST(ifnull(d.lines_added, 0) AS INTEGER) AS added,
	CAST(ifnull(d.lines_removed, 0) AS INTEGER) AS removed, d.timestamp, (SELECT path_id FROM obby_paths p WHERE p.file_path = d.file_path) AS path_id
	FROM content_diffs d WHERE d.id > ? AND d.id < ? ORDER BY d.id LIMIT ?+0)`

// rows counts the rows between two ids.
func (c *counter) rows(ctx context.Context, after, before int64) error {
	for {
		u, err := c.packed(ctx, selectCounted, after, before, rowsAtOnce)
		if err != nil {
			return err
		}
		var b stepindex.Block
		n := 0
		for ; u.more(); n++ {
			after = u.number()
			path := u.path()
			kind, _ := u.text()
			added, removed, at := u.number(), u.number(), u.micros()
			number, known := u.nullable()
			if !query.Below(path, c.prefix) {
				continue
			}
			if !known {
				number = c.number(path)
			}
			b.Add(after, at, number, stepindex.Type(kind), added, removed)
		}
		c.count(&b)
		if n < rowsAtOnce {
			return nil
		}
	}
}

// number gives a number to a path that has none.
func (c *counter) number(path string) int64 {
	number, ok := c.others[path]
	if !ok {
		number = c.most + 1 + int64(len(c.others))
		c.others[path] = number
	}
	return number
}

// namesAtOnce bounds the bytes of one text of paths.
const namesAtOnce = 1000

var selectNames = fmt.Sprintf("SELECT %s FROM (SELECT path_id, file_path FROM obby_paths WHERE path_id > ? ORDER BY path_id LIMIT ?+0)",
	packed(number("path_id"), text("file_path")))

// names names every path.
func (c *counter) names(ctx context.Context, name func(int64, string)) error {
	for path, number := range c.others {
		name(number, path)
	}
	after := int64(0)
	for {
		u, err := c.packed(ctx, selectNames, after, namesAtOnce)
		if err != nil {
			return err
		}
		n := 0
		for ; u.more(); n++ {
			after = u.number()
			name(after, u.path())
		}
		if n < namesAtOnce {
			return nil
		}
	}
}
