package store

import (
	"context"
	"strconv"

	"github.com/obby/go-services/internal/stepindex"
	"github.com/obby/go-services/query-service/internal/query"
)

const (
	// fewRows is up to how many rows of a folder are found by the index of their
	// paths: no walk is as short.
	fewRows = 1000
	// fewPaths is up to how many paths of a folder are read before the walk.
	fewPaths = 1000
	// maxVerdicts bounds the numbers of paths of which a verdict is kept, a byte each.
	maxVerdicts = 1 << 26
	// judgedAtOnce is how many steps are looked at before the paths among them that
	// were not met before are read.
	judgedAtOnce = 128
)

// picker picks the steps of a page from stretches of the walk.
type picker struct {
	asker
	q           query.DiffQuery
	types       [stepindex.Moved + 1]bool
	from, last  int64     // microseconds
	verdicts    []verdict // by obby_paths.path_id
	known       bool      // of every path that is picked there is a verdict
	ids         []int64
	after, upTo int64 // ids, exclusive both
}

// verdict is whether the filter picks a path.
type verdict byte

const (
	unknown verdict = iota
	picked
	left
)

// pick returns the ids of the next steps that pass a filter, one more than a page has
// where there are so many. Rows that were removed since they were packed are among them.
func pick(ctx context.Context, a asker, q query.DiffQuery) ([]int64, error) {
	p := &picker{asker: a, q: q}
	p.from, p.last = q.Range.Micros()
	for _, t := range q.Types {
		p.types[stepindex.Type(string(t))] = true
	}
	walk := newWalk(a, q)
	p.after, p.upTo = walk.after, walk.before
	few, err := p.few(ctx)
	if err != nil {
		return nil, err
	}
	if few != nil {
		_, err = p.visit(ctx, few)
	} else {
		err = walk.run(ctx, func(st *stretch) (bool, error) { return p.visit(ctx, st) })
	}
	return p.ids, err
}

// few returns the steps below the filter's prefix, where they are few; else nil.
func (p *picker) few(ctx context.Context) (*stretch, error) {
	var w where
	w.below("file_path", p.q.Prefix)
	if len(w.args) == 0 {
		return nil, nil
	}
	u, err := p.packed(ctx, fewStatement(w), append(w.args, fewRows+1)...)
	if err != nil {
		return nil, err
	}
	if u.number() > fewRows {
		return nil, p.meetFew(ctx, w)
	}
	timed := p.q.Range != query.Range{}
	if u, err = p.packed(ctx, belowStatement(w, timed), w.args...); err != nil {
		return nil, err
	}
	return readRows(u, timed), nil
}

func fewStatement(w where) string {
	return "SELECT count(*) || ',' FROM (SELECT 1 FROM content_diffs" + w.String() + " LIMIT ?+0)"
}

func belowStatement(w where, timed bool) string {
	columns, with := rowColumns, ""
	if timed {
		columns, with = rowColumnsTimed, ", timestamp"
	}
	// The + keeps SQLite from walking the whole table in the order of the ids.
	return "SELECT " + packed(columns...) + " FROM (SELECT id, file_path, change_type" + with + " FROM content_diffs" + w.String() + " ORDER BY +id)"
}

// visit picks from a stretch, and reports whether the page has room for more.
func (p *picker) visit(ctx context.Context, st *stretch) (more bool, err error) {
	var some []int
	for n := range st.Len() {
		i := n
		if !p.q.Oldest {
			i = st.Len() - 1 - n
		}
		if !p.asked(st, i) {
			continue
		}
		if some = append(some, i); len(some) == judgedAtOnce {
			if more, err := p.judge(ctx, st, some); err != nil || !more {
				return false, err
			}
			some = some[:0]
		}
	}
	return p.judge(ctx, st, some)
}

// asked reports whether a step passes what needs no path.
func (p *picker) asked(st *stretch, i int) bool {
	id, at := st.ID[i], st.Time[i]
	return id > p.after && id < p.upTo &&
		(len(p.q.Types) == 0 || p.types[st.Type[i]]) &&
		(p.q.Range == query.Range{} || at >= p.from && at <= p.last)
}

// judge takes those of some steps whose path passes.
func (p *picker) judge(ctx context.Context, st *stretch, some []int) (more bool, err error) {
	if st.paths == nil && p.q.OfPaths() {
		if err := p.meet(ctx, st, some); err != nil {
			return false, err
		}
	}
	for _, i := range some {
		switch {
		case !p.q.OfPaths():
		case st.paths != nil:
			if !p.q.Path(st.paths[i]) {
				continue
			}
		case p.leaves(st.Path[i]):
			continue
		}
		if p.ids = append(p.ids, st.ID[i]); len(p.ids) > p.q.Limit {
			return false, nil
		}
	}
	return true, nil
}

var selectPaths = "SELECT " + packed(number("path_id"), text("file_path")) + " FROM json_each(?) j CROSS JOIN obby_paths p ON p.path_id = j.value"

// meetFew learns all paths below the filter's prefix, where they are few.
func (p *picker) meetFew(ctx context.Context, w where) error {
	u, err := p.packed(ctx, fewPathsStatement(w), append(w.args, fewPaths+1)...)
	if err != nil || u.number() > fewPaths {
		return err
	}
	if u, err = p.packed(ctx, pathsBelowStatement(w), w.args...); err != nil {
		return err
	}
	for u.more() {
		number, path := u.number(), u.path()
		*p.verdict(number) = left
		if p.q.Path(path) {
			*p.verdict(number) = picked
		}
	}
	p.known = true
	return nil
}

func fewPathsStatement(w where) string {
	return "SELECT count(*) || ',' FROM (SELECT 1 FROM obby_paths" + w.String() + " LIMIT ?+0)"
}

func pathsBelowStatement(w where) string {
	return "SELECT " + packed(number("path_id"), text("file_path")) + " FROM obby_paths" + w.String()
}

// leaves reports whether the filter leaves a path that was met.
func (p *picker) leaves(path int64) bool {
	v := *p.verdict(path)
	return v == left || v == unknown && p.known
}

// verdict returns where the verdict on a path is kept. Numbers that no database has
// share one.
func (p *picker) verdict(path int64) *verdict {
	if path < 0 || path >= maxVerdicts {
		path = 0
	}
	if path >= int64(len(p.verdicts)) {
		p.verdicts = append(p.verdicts, make([]verdict, max(path+1, 1024)-int64(len(p.verdicts)))...)
	}
	return &p.verdicts[path]
}

// meet learns which paths that were not met before the filter picks.
func (p *picker) meet(ctx context.Context, st *stretch, some []int) error {
	if p.known {
		return nil
	}
	var strange []int64
	for _, i := range some {
		if v := p.verdict(st.Path[i]); *v == unknown {
			*v = picked // for a path that was forgotten since: its step has gone, too
			strange = append(strange, st.Path[i])
		}
	}
	if len(strange) == 0 {
		return nil
	}
	u, err := p.packed(ctx, selectPaths, list(strange))
	if err != nil {
		return err
	}
	for u.more() {
		if number := u.number(); !p.q.Path(u.path()) {
			*p.verdict(number) = left
		}
	}
	return nil
}

// list is how ids are given to json_each.
func list(ids []int64) string {
	text := []byte{'['}
	for i, id := range ids {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, id, 10)
	}
	return string(append(text, ']'))
}
