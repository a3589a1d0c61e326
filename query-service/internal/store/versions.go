package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/stepindex"
	"github.com/obby/go-services/query-service/internal/query"
)

// isCurrent is whether a version is its path's head: that is what file_states says; a
// path without a row there, which an old Python release may leave, has its newest
// version.
const isCurrent = `CASE WHEN s.id IS NULL THEN v.id = (SELECT max(id) FROM file_versions WHERE file_path = v.file_path)
	ELSE v.content_hash IS s.content_hash END`

// description is cut: a page of versions reads that of each
// before it knows how many fit.
const description = "substr(v.change_description, 1, 1000)"

const versionColumns = `v.id, v.file_path, v.content_hash, CAST(ifnull(v.line_count, 0) AS INTEGER),
	o.size_bytes, ifnull(o.kind, ''), obby_time(v.timestamp), o.mtime_ns, ifnull(` + description + `, ''),
	` + isCurrent + `, ifnull(l.label, ''), ifnull(l.pinned, 0)`

const fromVersions = `
FROM file_versions v
LEFT JOIN obby_versions o ON o.version_id = v.id
LEFT JOIN file_states s ON s.file_path = v.file_path
LEFT JOIN obby_labels l ON l.version_id = v.id`

// packedVersion packs what readVersion reads.
func packedVersion(current string) []string {
	return []string{
		number("v.id"), text("v.file_path"), text("v.content_hash"), number("v.line_count"),
		number("o.size_bytes"), text("o.kind"), stamp("v.timestamp"), number("o.mtime_ns"), text(description),
		number(current), text("l.label"), number("l.pinned"),
	}
}

// Of one path what is current is looked up once.
const currentOfPath = `CASE WHEN EXISTS (SELECT 1 FROM file_states WHERE file_path = +?1)
	THEN v.content_hash IS (SELECT content_hash FROM file_states WHERE file_path = +?1)
	ELSE v.id = (SELECT max(id) FROM file_versions WHERE file_path = +?1) END`

const (
	selectVersions = `SELECT %s FROM (SELECT id FROM file_versions v WHERE file_path = +?1 AND id < +?2%s ORDER BY id DESC LIMIT ?+0) picked
CROSS JOIN file_versions v ON v.id = picked.id
LEFT JOIN obby_versions o ON o.version_id = v.id
LEFT JOIN obby_labels l ON l.version_id = v.id`

	selectKnown = `SELECT EXISTS (SELECT 1 FROM file_versions WHERE file_path = ?1)
	OR EXISTS (SELECT 1 FROM file_states WHERE file_path = ?1)
	OR EXISTS (SELECT 1 FROM content_diffs WHERE file_path = ?1)`

	// Of the steps that passed a filter, those stand for their version that are the
	// newest of those that have made it.
	selectMade = `SELECT %s FROM json_each(?1) j CROSS JOIN content_diffs d ON d.id = j.value CROSS JOIN file_versions v ON v.id = d.new_version_id
LEFT JOIN obby_versions o ON o.version_id = v.id
LEFT JOIN file_states s ON s.file_path = v.file_path
LEFT JOIN obby_labels l ON l.version_id = v.id
WHERE d.id = (SELECT max(m.id) FROM content_diffs m WHERE m.new_version_id = v.id%s)`
)

// Versions implements query.VersionStore.
func (s *Store) Versions(ctx context.Context, q query.VersionQuery) (query.MadePage, error) {
	if q.Before == 0 {
		q.Before = math.MaxInt64
	}
	if q.Path == "" {
		return s.made(ctx, q)
	}
	var p query.Page[query.Made]
	if q.Filter.Path(q.Path) {
		statement, args := versionsStatement(q)
		u, err := s.packed(ctx, statement, args...)
		if err != nil {
			return query.MadePage{}, err
		}
		size := 0
		for u.more() && !p.More {
			v := readVersion(u)
			add(&p, query.Made{Version: v, Key: v.ID}, q.Limit, &size)
		}
	}
	if len(p.Items) > 0 {
		return madePage(p), nil
	}
	return query.MadePage{}, s.known(ctx, q.Path)
}

// madePage is a page whose last version says where the next one begins.
func madePage(p query.Page[query.Made]) query.MadePage {
	page := query.MadePage{Items: p.Items, More: p.More}
	if p.More {
		page.Next = p.Items[len(p.Items)-1].Key
	}
	return page
}

func versionsStatement(q query.VersionQuery) (string, []any) {
	var w where
	if q.Range != (query.Range{}) {
		w.during("obby_time(timestamp)", q.Range)
	}
	if len(q.Types) > 0 {
		w.and("EXISTS (SELECT 1 FROM content_diffs m WHERE m.new_version_id = v.id AND " + ofTypes("m.change_type", q.Types) + ")")
	}
	return fmt.Sprintf(selectVersions, packed(packedVersion(currentOfPath)...), w.further()),
		slices.Concat([]any{rawpath.Encode(q.Path), q.Before}, w.args, []any{q.Limit + 1})
}

// ofTypes is the condition that a column is one of some types.
func ofTypes(column string, types []query.ChangeType) string {
	quoted := make([]string, len(types))
	for i, t := range types { // these have no quote in them
		quoted[i] = "'" + stepindex.TypeName(stepindex.Type(string(t))) + "'"
	}
	return column + " IN (" + strings.Join(quoted, ", ") + ")"
}

// add appends an item to a page, unless that is full, in number or in bytes.
func add[T interface{ Size() int }](p *query.Page[T], item T, limit int, size *int) {
	*size += item.Size()
	if p.More = len(p.Items) == limit || *size > query.PageBytes && len(p.Items) > 0; !p.More {
		p.Items = append(p.Items, item)
	}
}

const (
	// stepsAtOnce is of how many steps the versions are read at once when few have any.
	stepsAtOnce = 1000
	// maxSteps is after how many steps a page ends that is not full: a tenth of a second.
	maxSteps = 20_000
)

// made returns the versions that steps which pass the filter have made.
func (s *Store) made(ctx context.Context, q query.VersionQuery) (query.MadePage, error) {
	statement, args := madeStatement(q)
	var p query.Page[query.Made]
	size, read, limit := 0, 0, q.Limit
	for {
		ids, err := pick(ctx, s, query.DiffQuery{Filter: q.Filter, Before: q.Before, Limit: limit})
		if err != nil || len(ids) == 0 {
			return madePage(p), err
		}
		u, err := s.packed(ctx, statement, append([]any{list(ids)}, args...)...)
		if err != nil {
			return query.MadePage{}, err
		}
		ended := len(ids) <= limit
		if !u.more() {
			limit = max(limit, min(8*limit, stepsAtOnce))
		}
		for u.more() && !p.More {
			key := u.number()
			if v := readVersion(u); q.Filter.Path(v.Path) {
				add(&p, query.Made{Version: v, Key: key}, q.Limit, &size)
			}
		}
		read, q.Before = read+len(ids), ids[len(ids)-1]
		switch {
		case p.More, ended:
			return madePage(p), nil
		case read > maxSteps:
			return query.MadePage{Items: p.Items, More: true, Next: q.Before}, nil
		}
	}
}

func madeStatement(q query.VersionQuery) (string, []any) {
	var w where
	if q.Range != (query.Range{}) {
		w.during("obby_time(m.timestamp)", q.Range)
	}
	if len(q.Types) > 0 {
		w.and(ofTypes("m.change_type", q.Types))
	}
	columns := packed(slices.Concat([]string{number("d.id")}, packedVersion(isCurrent))...)
	return fmt.Sprintf(selectMade, columns, w.further()), w.args
}

// readVersion reads packedVersion.
func readVersion(u *unpacker) query.Version {
	v := query.Version{ID: u.number(), Path: u.path(), Hash: u.valid(), Lines: u.number()}
	if size, ok := u.nullable(); ok {
		v.Bytes = &size
	}
	kind, _ := u.text()
	v.Kind, v.Observed = query.Kind(kind), u.time()
	if mtime, ok := u.nullable(); ok {
		v.ModTime = time.Unix(0, mtime).UTC()
	}
	v.Description, v.Current, v.Label, v.Pinned = u.valid(), u.number() != 0, u.valid(), u.number() != 0
	return v
}

// scanVersion reads versionColumns and what follows them.
func scanVersion(rows *sql.Rows, more ...any) (query.Version, error) {
	var v query.Version
	var at micros
	var size, mtime sql.Null[int64]
	err := rows.Scan(append([]any{&v.ID, &v.Path, &v.Hash, &v.Lines, &size, &v.Kind, &at, &mtime, &v.Description, &v.Current,
		&v.Label, &v.Pinned}, more...)...)
	v.Path, v.Hash, v.Description, v.Label = rawpath.Decode(v.Path), valid(v.Hash), valid(v.Description), valid(v.Label)
	v.Observed = at.Time()
	if size.Valid {
		v.Bytes = &size.V
	}
	if mtime.Valid {
		v.ModTime = time.Unix(0, mtime.V).UTC()
	}
	return v, err
}

// length is of the content of a version, data the content itself; NULL where it was not
// kept.
const (
	length = `CASE WHEN o.kind IN ('lossy', 'binary') THEN octet_length(b.data) WHEN o.kind IS NOT 'omitted' THEN octet_length(v.content) END`
	data   = `CASE WHEN o.kind IN ('lossy', 'binary') THEN b.data WHEN o.kind IS NOT 'omitted' THEN CAST(v.content AS BLOB) END`
)

var selectContent = "SELECT " + strings.Join(packedVersion(isCurrent), " || ") + ", " + length + ", CASE WHEN " + length + " <= ?2 THEN " + data + " END" +
	fromVersions + `
LEFT JOIN obby_blobs b ON b.content_hash = v.content_hash
WHERE v.id = +?1`

// Content implements query.VersionStore.
func (s *Store) Content(ctx context.Context, id int64) (version query.Version, content []byte, err error) {
	if err := s.short.take(ctx); err != nil {
		return version, nil, err
	}
	defer s.short.done()
	found := query.ErrVersionNotFound
	err = s.each(context.WithoutCancel(ctx), selectContent, []any{id, query.MaxContent}, func(rows *sql.Rows) error {
		var u unpacker
		var size sql.Null[int64]
		if err := rows.Scan(&u.rest, &size, &content); err != nil {
			return err
		}
		version = readVersion(&u)
		switch {
		case !size.Valid:
			found = query.ErrContentNotKept
		case size.V > query.MaxContent:
			found = fmt.Errorf("%w: %d bytes", query.ErrContentTooLarge, size.V)
		default:
			found = nil
		}
		return nil
	})
	if err == nil {
		err = found
	}
	return version, content, err
}

// known returns ErrPathNotFound for a path that was never recorded.
func (s *Store) known(ctx context.Context, path string) error {
	var known bool
	err := s.each(ctx, selectKnown, []any{rawpath.Encode(path)}, func(rows *sql.Rows) error { return rows.Scan(&known) })
	if err == nil && !known {
		err = query.ErrPathNotFound
	}
	return err
}
