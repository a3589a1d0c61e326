package query

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// foldedSpans finds a text letter by letter, one place behind the other.
func foldedSpans(text, sought string) (found []span) {
	n := utf8.RuneCountInString(sought)
	for at := 0; at < len(text); {
		end := at
		for range n {
			_, size := utf8.DecodeRuneInString(text[end:])
			end += size
		}
		if strings.EqualFold(text[at:end], sought) {
			found = append(found, span{at, end})
			at = end
			continue
		}
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return found
}

func TestLiteralFindsAll(t *testing.T) {
	letters := []string{"a", "A", "a", "b", "s", "\u017f", "k", "\u212a", "é", "É", "語"} // long s, the Kelvin sign
	rng := rand.New(rand.NewPCG(1, 2))
	some := func(n int) string {
		var text strings.Builder
		for range n {
			text.WriteString(letters[rng.IntN(len(letters))])
		}
		return text.String()
	}
	for range 20_000 {
		text, sought := some(rng.IntN(40)), some(1+rng.IntN(5))
		var got []span
		newLiteral(sought, true).each(text, func(s span) bool {
			got = append(got, s)
			return true
		})
		if want := foldedSpans(text, sought); !slices.Equal(got, want) {
			t.Fatalf("%q is in %q at %v, want %v", sought, text, got, want)
		}
	}
}

// Long runs of a letter are common, as in rulers. Were each place compared with the whole
// text, this would take minutes.
func TestLiteralOfARun(t *testing.T) {
	run := strings.Repeat("-", 8<<20)
	sought := newLiteral(strings.Repeat("-", 999)+"x", true)
	if sought.in(run) || !sought.in(run+"X") || sought.count(run+"x"+run+"X") != 2 {
		t.Error("a line with a letter at its end is in the line without it, or not in the one with it")
	}
}

// What a request's deadline ends need not wait for the end of a content.
func TestSoughtEndsWithContext(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	content := strings.Repeat("語x ", 2*wordsAtOnce) + "語y"
	sought := parse(t, Plain, "語y")
	if !sought.In(t.Context(), "/", content) || sought.In(ended, "/", content) {
		t.Error("a search whose context has ended read its content to the end")
	}
	if got := sought.Show(ended, "/", content, 1, 0).Lines; len(got) != 0 {
		t.Errorf("it shows %v", got)
	}
}

// Of many terms each is found, or missed, as if it were alone.
func TestManyTerms(t *testing.T) {
	letters := []rune("語本日ab ")
	rng := rand.New(rand.NewPCG(3, 4))
	some := func(n int) string {
		text := make([]rune, n)
		for i := range text {
			text[i] = letters[rng.IntN(len(letters))]
		}
		return string(text)
	}
	for range 3000 {
		path, content, text := "/"+some(5), some(30), some(20)
		alone := true
		for _, word := range strings.Fields(text) {
			if s := parse(t, Plain, word); len(s.inside) > 0 {
				alone = alone && s.In(t.Context(), path, content)
			}
		}
		if got := parse(t, Plain, text).In(t.Context(), path, content); got != alone {
			t.Fatalf("%q in %q or %q: %v, its words alone: %v", text, path, content, got, alone)
		}
	}
}
