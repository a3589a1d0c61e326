package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/sqlite"
	"github.com/obby/go-services/query-service/internal/query"
)

// each runs a statement and calls row for each of its rows until row returns an
// error. row must not run another statement: it would wait for a database that is
// about to be replaced, which waits for this one.
func (s *Store) each(ctx context.Context, statement string, args []any, row func(*sql.Rows) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.database == nil {
		return s.why
	}
	rows, err := s.database.QueryContext(ctx, s.database.with+statement, args...)
	if err != nil {
		return explain(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return explain(ctx, err)
		}
	}
	return explain(ctx, rows.Err())
}

// explain says what an error of SQLite means to the one who asked.
func explain(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && sqlite.Interrupted(err):
		return ctx.Err()
	case sqlite.Busy(err):
		return fmt.Errorf("%w (%w)", query.ErrBusy, err)
	case sqlite.Corrupt(err):
		return fmt.Errorf("%w (%w)", query.ErrDamaged, err)
	case sqlite.Unusable(err):
		return fmt.Errorf("%w: %w", query.ErrUnavailable, err)
	}
	return err
}

// errFull ends the rows of a page.
var errFull = errors.New("the page is full")

// page runs a statement, whose last parameter is LIMIT, and returns at most limit
// items: fewer where they would outgrow a message.
func page[T interface{ Size() int }](ctx context.Context, s *Store, statement string, args []any, limit int, scan func(*sql.Rows) (T, error)) (query.Page[T], error) {
	var p query.Page[T]
	size := 0
	err := s.each(ctx, statement, append(args, limit+1), func(rows *sql.Rows) error {
		item, err := scan(rows)
		if err != nil {
			return err
		}
		size += item.Size()
		if p.More = len(p.Items) == limit || size > query.PageBytes && len(p.Items) > 0; p.More {
			return errFull
		}
		p.Items = append(p.Items, item)
		return nil
	})
	if errors.Is(err, errFull) {
		err = nil
	}
	return p, err
}

// where is a WHERE clause in the making.
type where struct {
	conditions []string
	args       []any
}

func (w *where) and(condition string, args ...any) {
	w.conditions = append(w.conditions, condition)
	w.args = append(w.args, args...)
}

// below keeps rows whose path is prefix or below it, byte for byte: nothing in a
// path is a wildcard (case 58). '0' is the character after '/'.
func (w *where) below(column, prefix string) {
	if prefix == "" || prefix == "/" {
		return
	}
	text := rawpath.Encode(prefix)
	w.and("("+column+" = ? OR "+column+" >= ? AND "+column+" < ?)", text, text+"/", text+"0")
}

// during keeps rows in the range, of those whose time is readable. The expression
// is a call of obby_time, so it stands here once.
func (w *where) during(expression string, r query.Range) {
	from, last := int64(math.MinInt64), int64(math.MaxInt64)
	if !r.From.IsZero() {
		from = ceilMicro(r.From)
	}
	if !r.To.IsZero() {
		last = ceilMicro(r.To) - 1
	}
	w.and(expression+" BETWEEN ? AND ?", from, last)
}

// ceilMicro returns the first whole microsecond that is not before t: rows have
// whole ones, bounds need not.
func ceilMicro(t time.Time) int64 { return t.Add(time.Microsecond - 1).UnixMicro() }

func (w *where) String() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// micros is a nullable result of obby_time.
type micros struct{ sql.Null[int64] }

// Time returns the zero time for NULL.
func (m micros) Time() time.Time {
	if !m.Valid {
		return time.Time{}
	}
	return time.UnixMicro(m.V).UTC()
}

// valid makes a stored text fit for a message: a TEXT column can hold anything.
func valid(text string) string {
	if utf8.ValidString(text) { // is much the faster
		return text
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
