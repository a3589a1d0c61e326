package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/query-service/internal/query"
)

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
		if add(&p, item, limit, &size); p.More {
			return errFull
		}
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
	from, last := r.Micros()
	w.and(expression+" BETWEEN ? AND ?", from, last)
}

// further is the conditions behind others.
func (w *where) further() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " AND " + strings.Join(w.conditions, " AND ")
}

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
