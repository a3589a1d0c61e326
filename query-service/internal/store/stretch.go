package store

import (
	"context"
	"database/sql"
	"slices"

	"github.com/obby/go-services/internal/sqlite"
	"github.com/obby/go-services/internal/stepindex"
)

// stretch is some steps in the order of their ids.
type stretch struct {
	stepindex.Block
	paths []string // of each step, where it was read from its row: then Block.Path is 0
}

// between returns the part of a stretch that lies between two ids, exclusive both.
func (st *stretch) between(after, before int64) *stretch {
	n := st.Len()
	if n == 0 || st.ID[0] > after && st.ID[n-1] < before {
		return st
	}
	from, _ := slices.BinarySearch(st.ID, after+1)
	to, _ := slices.BinarySearch(st.ID, before)
	to = max(from, to) // whatever a damaged block says
	b := st.Block
	return &stretch{Block: stepindex.Block{
		ID: b.ID[from:to], Time: b.Time[from:to], Path: b.Path[from:to], Type: b.Type[from:to], Added: b.Added[from:to], Removed: b.Removed[from:to],
	}}
}

func readRows(u *unpacker, timed bool) *stretch {
	st := &stretch{}
	for u.more() {
		id, path := u.number(), u.path()
		kind, _ := u.text()
		at := int64(stepindex.NoTime)
		if timed {
			at = u.micros()
		}
		st.Add(id, at, 0, stepindex.Type(kind), 0, 0)
		st.paths = append(st.paths, path)
	}
	return st
}

// reverse puts steps that were read newest first in the order of their ids. Those of
// its columns that are all 0 are left.
func (st *stretch) reverse() {
	for _, column := range [][]int64{st.ID, st.Time, st.Type} {
		slices.Reverse(column)
	}
	slices.Reverse(st.paths)
}

// endsWell reports whether the newest step that rows and blocks share bears one time: it
// does not where another program emptied the table and ids began anew.
func endsWell(ctx context.Context, a asker) (bool, error) {
	well := true
	err := a.each(context.WithoutCancel(ctx), sqlite.StepsEnd, nil, func(rows *sql.Rows) error {
		var data sql.RawBytes
		var id int64
		var stored any
		if err := rows.Scan(&data, &id, &stored); err != nil {
			return err
		}
		var block stepindex.Block
		readable := block.Decode(data) == nil // one that is not is read from its rows
		well = !readable || !block.Denies(id, storedMicros(stored))
		return nil
	})
	return well, err
}
