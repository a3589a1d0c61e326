package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/obby/go-services/internal/sqlite"
	"github.com/obby/go-services/internal/stepindex"
)

// packedAtOnce bounds the blocks of one pass of CatchUp, a transaction each: while
// retention thins, the blocks that it takes apart are packed again every time.
const packedAtOnce = 64

// packing is what is known of the blocks of steps; CatchUp's own.
type packing struct {
	checked bool // since the last change of another program the blocks add up
	whole   bool // there is no row between two blocks
}

// pack puts steps into blocks, the oldest first, and finds blocks whose rows another
// program has removed. others says that another program has written since the last
// call. What it leaves, the next call does.
func (s *Store) pack(ctx context.Context, p *packing, others bool) error {
	if s.unpacked.Swap(false) {
		p.whole = false
	}
	if others {
		p.checked = false
	}
	for range packedAtOnce {
		more, err := s.packNext(ctx, p.whole)
		if err != nil {
			return err
		}
		if more {
			continue
		}
		p.whole = true
		if p.checked {
			return nil
		}
		wrong, err := s.checkBlocks(ctx)
		if err != nil {
			return err
		}
		p.checked, p.whole = !wrong, !wrong
		if !wrong {
			return nil
		}
	}
	return nil
}

// packNext packs steps in a transaction of its own, and pauses where others wait.
func (s *Store) packNext(ctx context.Context, tail bool) (more bool, err error) {
	if tail {
		var any bool
		// One look, on a connection on which nobody waits.
		err := s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM content_diffs WHERE id > (`+lastPacked+`))`).Scan(&any)
		if err != nil || !any {
			return false, err
		}
	}
	start := time.Now()
	err = s.transact(ctx, func(ctx context.Context, tx *transaction) (err error) {
		more, err = s.packOnce(ctx, tx, tail)
		return err
	})
	if err == nil && more {
		err = s.giveWay(ctx, start)
	}
	return more, err
}

const lastPacked = `SELECT ifnull(max(last_id), 0) FROM obby_steps`

// firstGap selects the ids between which the oldest rows that no block holds lie.
const firstGap = `SELECT after, before FROM (
	SELECT 0 AS after, ifnull(min(first_id), 9223372036854775807) AS before FROM obby_steps
	UNION ALL SELECT last_id, lead(first_id, 1, 9223372036854775807) OVER (ORDER BY first_id) FROM obby_steps)
WHERE before - 1 > after AND EXISTS (SELECT 1 FROM content_diffs WHERE id > after AND id < before)
ORDER BY after LIMIT 1`

// packOnce makes one block of the oldest rows that no block holds, together with the
// block before them where that has room. With tail these rows are known to be those
// behind the last block.
func (s *Store) packOnce(ctx context.Context, tx *transaction, tail bool) (packed bool, err error) {
	gap := struct{ after, before int64 }{before: math.MaxInt64}
	find, into := firstGap, []any{&gap.after, &gap.before}
	if tail {
		find, into = lastPacked, into[:1]
	}
	if err := tx.QueryRowContext(ctx, find).Scan(into...); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		return false, err
	}
	block, err := s.takeBlock(ctx, tx, gap.after)
	if err != nil {
		return false, err
	}
	rows, err := stepsBetween(ctx, tx, gap.after, gap.before, stepindex.MaxSteps-block.Len())
	if err != nil || len(rows) == 0 {
		return false, err
	}
	if err := addSteps(ctx, tx, block, rows); err != nil {
		return false, err
	}
	return true, putBlock(ctx, tx, block)
}

// takeBlock takes out the block that ends at a step, unless it is full; then, as
// where there is none, it returns an empty one.
func (s *Store) takeBlock(ctx context.Context, tx *transaction, last int64) (*stepindex.Block, error) {
	var data []byte
	block := &stepindex.Block{}
	err := tx.QueryRowContext(ctx, `DELETE FROM obby_steps WHERE first_id = (SELECT max(first_id) FROM obby_steps WHERE first_id <= ?1)
		AND last_id = ?1 AND steps < ?2 RETURNING data`, last, stepindex.MaxSteps).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return block, nil
	}
	if err == nil && block.Decode(data) != nil {
		*block = stepindex.Block{} // damaged: its rows are packed like any others
		s.unpacked.Store(true)
	}
	return block, err
}

// stepRow is what a block holds of a row of content_diffs.
type stepRow struct {
	id, at         int64
	path           string // in its encoded form
	kind           int64
	added, removed int64
}

func stepsBetween(ctx context.Context, tx *transaction, after, before int64, limit int) (all []stepRow, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, file_path, change_type, CAST(ifnull(lines_added, 0) AS INTEGER),
		CAST(ifnull(lines_removed, 0) AS INTEGER), +timestamp FROM content_diffs WHERE id > ? AND id < ? ORDER BY id LIMIT ?`, after, before, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r stepRow
		var kind string
		var at any
		if err := rows.Scan(&r.id, &r.path, &kind, &r.added, &r.removed, &at); err != nil {
			return nil, err
		}
		r.kind, r.at = stepindex.Type(kind), stepindex.NoTime
		if t, ok := sqlite.ParseTime(at); ok {
			r.at = t.UnixMicro()
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// addSteps appends rows to a block and gives their paths numbers.
func addSteps(ctx context.Context, tx *transaction, block *stepindex.Block, rows []stepRow) error {
	numbers := map[string]int64{}
	for _, r := range rows {
		number, ok := numbers[r.path]
		if !ok {
			err := tx.QueryRowContext(ctx, `SELECT path_id FROM obby_paths WHERE file_path = ?`, r.path).Scan(&number)
			if errors.Is(err, sql.ErrNoRows) {
				number, err = insert(ctx, tx, `INSERT INTO obby_paths (file_path) VALUES (?)`, r.path)
			}
			if err != nil {
				return fmt.Errorf("number the path %q: %w", r.path, err)
			}
			numbers[r.path] = number
		}
		block.Add(r.id, r.at, number, r.kind, r.added, r.removed)
	}
	return nil
}

func putBlock(ctx context.Context, tx *transaction, block *stepindex.Block) error {
	var from, to any
	if least, greatest, ok := block.Times(); ok {
		from, to = least, greatest
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO obby_steps (first_id, last_id, steps, min_time, max_time, data) VALUES (?, ?, ?, ?, ?, ?)`,
		block.ID[0], block.ID[block.Len()-1], block.Len(), from, to, block.Encode())
	return err
}

// unpack takes apart the blocks of steps that are about to change, in the same
// transaction.
func (s *Store) unpack(ctx context.Context, tx *transaction, steps string) error {
	s.unpacked.Store(true) // also where the transaction fails: one look too many
	_, err := tx.ExecContext(ctx, `DELETE FROM obby_steps WHERE first_id IN (
		SELECT (SELECT max(first_id) FROM obby_steps WHERE first_id <= value) FROM json_each(?))`, steps)
	return err
}

// Where every row is in a block, or behind the last, the numbers of steps add up,
// unless another program removed rows. One that emptied the table and had ids given
// anew is told by sqlite.StepsEnd.
const (
	blocksAddUp = `SELECT (SELECT count(*) FROM content_diffs) = ifnull(sum(steps), 0) + (SELECT count(*) FROM content_diffs WHERE id > (` + lastPacked + `)) FROM obby_steps`
	wrongBlocks = `SELECT json_group_array(first_id) FROM (
		SELECT first_id, steps, (SELECT count(*) FROM content_diffs WHERE id BETWEEN first_id AND last_id) AS rows FROM obby_steps) WHERE steps <> rows`
	allBlocks = `SELECT json_group_array(first_id) FROM obby_steps`
)

// checkBlocks takes apart the blocks that hold steps which are no longer there, and
// reports whether there were any.
func (s *Store) checkBlocks(ctx context.Context) (wrong bool, err error) {
	var adds bool
	if err := s.read.QueryRowContext(ctx, blocksAddUp).Scan(&adds); err != nil {
		return false, err
	}
	well, err := s.endWell(ctx)
	if err != nil {
		return false, err
	}
	find := ""
	switch {
	case !well:
		find = allBlocks
	case !adds:
		find = wrongBlocks
	default:
		return false, nil
	}
	var blocks string
	if err := s.read.QueryRowContext(ctx, find).Scan(&blocks); err != nil {
		return false, err
	}
	if blocks == "[]" {
		return false, nil // rows with ids that no block can have
	}
	return true, s.transact(ctx, func(ctx context.Context, tx *transaction) error { return s.unpack(ctx, tx, blocks) })
}

// endWell reports whether the blocks are of the rows that there are: see sqlite.StepsEnd.
func (s *Store) endWell(ctx context.Context) (bool, error) {
	var data []byte
	var id int64
	var stored any
	err := s.read.QueryRowContext(ctx, sqlite.StepsEnd).Scan(&data, &id, &stored)
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil
	}
	var block stepindex.Block
	if err != nil || block.Decode(data) != nil {
		return false, err
	}
	at := int64(stepindex.NoTime)
	if t, ok := sqlite.ParseTime(stored); ok {
		at = t.UnixMicro()
	}
	return !block.Denies(id, at), nil
}
