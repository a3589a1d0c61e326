package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"sync"

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
	if err := s.counts.take(ctx); err != nil {
		return err
	}
	defer s.counts.done()
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
	whole, err := endsWell(ctx, c)
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

// blocksAhead is how many blocks, of some 12 KB, may be read and not yet counted. With 4
// the two sides wait for each other: a million steps take a fifth longer than with 32, and
// with 128 they take the same.
const blocksAhead = 32

// data reads the blocks between two first ids; of one that cannot be read it makes an
// empty one, and count has it while it runs. They are decoded and counted while the next
// are read: on two cores at once, and where they are counted they are in the cache.
func (c *counter) data(ctx context.Context, from, to int64, count func(b *stepindex.Block)) error {
	read, free := make(chan []byte, blocksAhead), make(chan []byte, blocksAhead)
	for range blocksAhead {
		free <- nil
	}
	var counting sync.WaitGroup
	counting.Go(func() { // ended by the end of read
		var b stepindex.Block
		for data := range read {
			if b.Decode(data) != nil {
				b = stepindex.Block{}
			}
			count(&b)
			free <- data
		}
	})
	defer counting.Wait()
	defer close(read)
	return c.each(context.WithoutCancel(ctx), selectData, []any{from, to}, func(rows *sql.Rows) error {
		var last int64
		var data sql.RawBytes
		if err := errors.Join(rows.Scan(&last, &data), ctx.Err()); err != nil {
			return err
		}
		read <- append((<-free)[:0], data...)
		return nil
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
			err := c.data(ctx, run[0].first, run[n-1].first, func(b *stepindex.Block) {
				if b.Len() == 0 || slices.Max(b.Path) > c.most {
					damaged = append(damaged, run[i])
				} else {
					c.pass(b)
				}
				i++
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
