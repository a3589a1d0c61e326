package store

import (
	"strconv"
	"strings"
	"time"

	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/sqlite"
	"github.com/obby/go-services/internal/stepindex"
)

// A column that is fetched from a row costs a call into SQLite, and the driver's and
// database/sql's conversions: of a page of fifty steps they took five times as long
// as SQLite took to find it. So the statements of the hot paths return their rows as
// one text, which packed makes and unpacker reads: a number is written with a comma
// behind it, a text after its length in bytes and a colon, and NULL as nothing.
//
// To prepare a statement takes longer than to run it, so the driver keeps it prepared.
// But where SQLite looks at the value that a parameter is bound to, it prepares it anew
// for each execution: at LIMIT ?, at `column = ?` with ORDER BY, and at `column = ?`
// before a LEFT JOIN. It does not look into an expression: LIMIT ?+0 and `= +?` are one.

// number packs a column of integers, or an expression that is one. Any column of SQLite
// can hold a value of any type.
func number(expression string) string {
	return "ifnull(CAST(" + expression + " AS INTEGER), '') || ','"
}

// text packs a column of text. It stands there twice, so it is no expensive one.
func text(column string) string {
	return "ifnull(octet_length(" + column + ") || ':' || " + column + ", ':')"
}

// stamp packs a column of times in any stored form. As text a number would lose
// digits.
func stamp(column string) string {
	return "CASE typeof(" + column + ") WHEN 'real' THEN " + text("format('%!.17g', "+column+")") + " ELSE " + text(column) + " END"
}

// packed aggregates rows of such columns, in the order of what follows FROM.
func packed(columns ...string) string {
	return "ifnull(group_concat(" + strings.Join(columns, " || ") + ", ''), '')"
}

// unpacker reads what packed made. It panics on anything else: that is a mistake in a
// statement.
type unpacker struct{ rest string }

func (u *unpacker) more() bool { return u.rest != "" }

// number returns a number, 0 for NULL.
func (u *unpacker) number() int64 {
	n, _ := u.nullable()
	return n
}

// nullable returns a number and whether it is not NULL.
func (u *unpacker) nullable() (int64, bool) {
	end := strings.IndexByte(u.rest, ',')
	digits := u.rest[:end]
	u.rest = u.rest[end+1:]
	if digits == "" {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		panic(err)
	}
	return n, true
}

// text returns a text, and whether it is not NULL.
func (u *unpacker) text() (string, bool) {
	end := strings.IndexByte(u.rest, ':')
	length := u.rest[:end]
	u.rest = u.rest[end+1:]
	if length == "" {
		return "", false
	}
	n, err := strconv.Atoi(length)
	if err != nil {
		panic(err)
	}
	value := u.rest[:n]
	u.rest = u.rest[n:]
	return value, true
}

// valid returns a text that is fit for a message, empty for NULL.
func (u *unpacker) valid() string {
	value, _ := u.text()
	return valid(value)
}

// path returns a path as the operating system knows it, empty for NULL.
func (u *unpacker) path() string {
	value, _ := u.text()
	return rawpath.Decode(value)
}

// micros returns a stored time as a block holds it.
func (u *unpacker) micros() int64 {
	if value, ok := u.text(); ok {
		return storedMicros(value)
	}
	return stepindex.NoTime
}

// storedMicros returns a time in any stored form as a block holds it.
func storedMicros(stored any) int64 {
	if at, ok := sqlite.ParseTime(stored); ok {
		return at.UnixMicro()
	}
	return stepindex.NoTime
}

// time returns a stored time, the zero time where it cannot be read.
func (u *unpacker) time() time.Time { return instant(u.micros()) }

func instant(micros int64) time.Time {
	if micros == stepindex.NoTime {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
