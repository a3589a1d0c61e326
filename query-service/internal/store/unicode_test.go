package store

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/obby/go-services/internal/sqlitetest"
)

// The table by which words are found and highlighted is what the index's tokenizer
// says of each character, alone and inside a word (case 56).
func TestUnicode61(t *testing.T) {
	_, db := sqlitetest.New(t)
	exec(t, db, `CREATE VIRTUAL TABLE temp.chars USING fts5 (text, content = '', tokenize = 'unicode61 remove_diacritics 2')`)
	exec(t, db, `CREATE VIRTUAL TABLE temp.terms USING fts5vocab (temp, chars, instance)`)
	// Row n holds character n alone, and then between two letters. Where Unicode has
	// hardly assigned any, one of 97 speaks for those up to the next.
	exec(t, db, `WITH RECURSIVE n (c) AS (SELECT 1 UNION ALL
			SELECT c + iif(c < 0x33000 OR c BETWEEN 0xDFF00 AND 0xE1000 OR c > 0x10FF00, 1, 97) FROM n WHERE c < 0x10FFFF)
		INSERT INTO temp.chars (rowid, text) SELECT c, char(c) || ' a' || char(c) || 'b' FROM n WHERE c NOT BETWEEN 0xD800 AND 0xDFFF`)
	rows, err := db.QueryContext(t.Context(), `SELECT doc, group_concat(term, ' ') FROM (SELECT doc, term FROM temp.terms ORDER BY doc, offset) GROUP BY doc ORDER BY doc`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var letters, others strings.Builder
	var first, last rune // the range of letters that has begun, and how far it goes
	flush := func() {
		if first > 0 {
			fmt.Fprintf(&letters, "+ %X %X\n", first, last)
		}
		first = 0
	}
	for rows.Next() {
		var char rune
		var terms string
		if err := rows.Scan(&char, &terms); err != nil {
			t.Fatal(err)
		}
		alone, inside, letter := strings.Cut(terms, " ")
		folded, _ := utf8.DecodeRuneInString(alone)
		switch {
		case terms == "ab":
			flush()
			fmt.Fprintf(&others, "- %X\n", char)
		case !letter || alone == "a" && inside == "b":
			flush()
		case alone == string(folded) && inside == "a"+alone+"b":
			if char == 0xE000 { // before it are surrogates
				flush()
			}
			if first == 0 {
				first = char
			}
			if last = char; folded != char {
				fmt.Fprintf(&others, "= %X %X\n", char, folded)
			}
		default:
			t.Errorf("%U is %q, which the table cannot say", char, terms)
		}
	}
	flush()
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("..", "query", "unicode61.txt"), letters.String()+others.String())
}
