package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/sqlitetest"
)

// The table by which words are found and highlighted is what the index's tokenizer
// says of each character, alone and inside a word (case 56).
func TestUnicode61(t *testing.T) {
	_, db := sqlitetest.New(t)
	exec(t, db, `CREATE VIRTUAL TABLE temp.chars USING fts5 (text, content = '', tokenize = 'unicode61 remove_diacritics 2')`)
	exec(t, db, `CREATE VIRTUAL TABLE temp.terms USING fts5vocab (temp, chars, instance)`)
	// Row n holds character n alone, and then between two letters.
	exec(t, db, `WITH RECURSIVE n (c) AS (SELECT 1 UNION ALL SELECT c + 1 FROM n WHERE c < ?)
		INSERT INTO temp.chars (rowid, text) SELECT c, char(c) || ' a' || char(c) || 'b' FROM n WHERE c NOT BETWEEN 0xD800 AND 0xDFFF`, unicode.MaxRune)
	rows, err := db.QueryContext(t.Context(), `SELECT doc, group_concat(term, ' ') FROM (SELECT doc, term FROM temp.terms ORDER BY doc, offset) GROUP BY doc ORDER BY doc`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var letters, others strings.Builder
	first, last := rune(0), rune(-1)
	flush := func() {
		if last >= first && first > 0 {
			fmt.Fprintf(&letters, "+ %X %X\n", first, last)
		}
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
			fmt.Fprintf(&others, "- %X\n", char)
		case !letter || alone == "a" && inside == "b":
		case alone == string(folded) && inside == "a"+alone+"b":
			if char != last+1 {
				flush()
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
	file := filepath.Join("..", "query", "unicode61.txt")
	if *update {
		if err := os.WriteFile(file, []byte(letters.String()+others.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(letters.String()+others.String(), string(want)); diff != "" {
		t.Errorf("%s (-tokenizer +file):\n%s", file, diff)
	}
}
