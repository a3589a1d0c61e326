package query

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxNesting bounds parentheses in parentheses: FTS5's own parser is done for at
// about twice as many.
const maxNesting = 16

// SyntaxError is a mistake in an Advanced search text.
type SyntaxError struct {
	Position int // of the mistake, in characters from 0: it is inside of the text
	Problem  string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("position %d: %s", e.Position, e.Problem) }

// parser reads
//
//	any  = all { OR all }
//	all  = part { [ AND ] part }
//	part = [ NOT ] one
//	one  = [ path: | content: ] ( word | word* | "phrase" | "phrase"* | "(" any ")" )
//
// into an expression of FTS5. Operators are upper case.
type parser struct {
	lexemes []lexeme
	place   place
	depth   int
	sought  Sought
	inPath  []string // what of the terms counts in the path
}

func parseAdvanced(text string) (Sought, error) {
	lexemes, err := lex(text)
	if err != nil || len(lexemes) == 0 {
		return Sought{}, err
	}
	p := &parser{lexemes: lexemes}
	if p.sought.Match, err = p.any(true); err != nil {
		return Sought{}, err
	}
	if len(p.lexemes) > 0 {
		return Sought{}, p.lexemes[0].mistake("a ) without its (")
	}
	p.sought.InPath = strings.Join(p.inPath, " OR ")
	return p.sought, nil
}

// next reports whether the next lexeme is of a kind.
func (p *parser) next(k kind) bool { return len(p.lexemes) > 0 && p.lexemes[0].kind == k }

func (p *parser) take() lexeme {
	l := p.lexemes[0]
	p.lexemes = p.lexemes[1:]
	return l
}

// any reads alternatives. Only where wanted do their terms count: what NOT leaves
// out is not to be highlighted.
func (p *parser) any(wanted bool) (string, error) {
	var parts []string
	for {
		part, err := p.all(wanted)
		if err != nil {
			return "", err
		}
		parts = append(parts, part)
		if !p.next(opOr) {
			return group(parts, " OR "), nil
		}
		if or := p.take(); !p.operand() {
			return "", or.mistake("OR stands between two words, phrases or groups")
		}
	}
}

// operand reports whether something can begin here.
func (p *parser) operand() bool {
	return len(p.lexemes) > 0 && !p.next(opOr) && !p.next(opAnd) && !p.next(shut)
}

// all reads what must occur together, and what must not beside it.
func (p *parser) all(wanted bool) (string, error) {
	var with, without []string
	start := p.lexemes[0]
	for first := true; first || p.operand() || p.next(opAnd); first = false {
		if p.next(opAnd) {
			if and := p.take(); first || !p.operand() {
				return "", and.mistake("AND stands between two words, phrases or groups")
			}
		}
		if !p.next(opNot) {
			part, err := p.one(wanted)
			if err != nil {
				return "", err
			}
			with = append(with, part)
			continue
		}
		not := p.take()
		if !p.operand() || p.next(opNot) {
			return "", not.mistake("NOT stands before a word, phrase or group")
		}
		part, err := p.one(false)
		if err != nil {
			return "", err
		}
		without = append(without, part)
	}
	if len(with) == 0 {
		return "", start.mistake("NOT leaves out of what is found, so something must be asked for beside it: milk NOT bread")
	}
	found := group(with, " AND ")
	if len(without) > 0 {
		found = "(" + found + " NOT " + group(without, " OR ") + ")"
	}
	return found, nil
}

// one reads a word, a phrase or a group.
func (p *parser) one(wanted bool) (string, error) {
	switch l := p.take(); l.kind {
	case opOr, shut:
		return "", l.mistake("a word, phrase or group is missing before it")
	case field:
		if p.place != anywhere {
			return "", l.mistake("path: and content: do not stand inside of each other")
		}
		if !p.operand() || p.next(opNot) || p.next(field) {
			return "", l.mistake("path: and content: stand before a word, phrase or group")
		}
		p.place = l.place
		defer func() { p.place = anywhere }()
		return p.one(wanted)
	case open:
		return p.parentheses(l, wanted)
	default:
		return p.leaf(l, wanted)
	}
}

func (p *parser) parentheses(l lexeme, wanted bool) (string, error) {
	if p.depth++; p.depth > maxNesting {
		return "", l.mistake(fmt.Sprintf("more than %d parentheses inside of each other", maxNesting))
	}
	if !p.operand() {
		return "", l.mistake("a word, phrase or group is missing behind it")
	}
	found, err := p.any(wanted)
	if err != nil {
		return "", err
	}
	if !p.next(shut) {
		return "", l.mistake("a ( without its )")
	}
	p.take()
	p.depth--
	return found, nil
}

func (p *parser) leaf(l lexeme, wanted bool) (string, error) {
	t, ok := newTerm(l.text)
	if !ok {
		return "", l.mistake("without a letter or a digit nothing can be found by words")
	}
	t.place, t.openEnd = p.place, l.prefix
	if wanted {
		p.sought.terms = append(p.sought.terms, t)
		if t.place != inContent {
			p.inPath = append(p.inPath, t.at(inPath).match())
		}
	}
	return t.match(), nil
}

func group(parts []string, operator string) string {
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, operator) + ")"
}

type kind int

const (
	word kind = iota // also a phrase
	opAnd
	opOr
	opNot
	open
	shut
	field
)

// lexeme is a piece of a search text.
type lexeme struct {
	kind     kind
	text     string // of a word or phrase
	prefix   bool   // a * follows
	place    place  // of a field
	position int
}

func (l lexeme) mistake(problem string) error { return &SyntaxError{l.position, problem} }

var operators = map[string]kind{"AND": opAnd, "OR": opOr, "NOT": opNot}

// lex cuts a text to pieces.
func lex(text string) ([]lexeme, error) {
	var all []lexeme
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRuneInString(text[at:])
		l := lexeme{position: utf8.RuneCountInString(text[:at])}
		switch {
		case isBlank(r):
			at += size
			continue
		case r == '(':
			l.kind, at = open, at+1
		case r == ')':
			l.kind, at = shut, at+1
		case r == '"':
			end := strings.IndexByte(text[at+1:], '"')
			if end < 0 {
				return nil, l.mistake(`a " without the one that ends the phrase`)
			}
			l.text, at = text[at+1:at+1+end], at+end+2
			if l.prefix = strings.HasPrefix(text[at:], "*"); l.prefix {
				at++
			}
		default:
			n, err := l.readWord(text[at:])
			if err != nil {
				return nil, err
			}
			at += n
		}
		all = append(all, l)
	}
	return all, nil
}

// readWord reads a word, an operator or a field from the beginning of a text and
// returns its length.
func (l *lexeme) readWord(text string) (int, error) {
	for name, p := range map[string]place{"path:": inPath, "content:": inContent} {
		if strings.HasPrefix(text, name) {
			l.kind, l.place = field, p
			return len(name), nil
		}
	}
	end := strings.IndexFunc(text, func(r rune) bool { return isBlank(r) || strings.ContainsRune(`()"`, r) })
	if end < 0 {
		end = len(text)
	}
	l.text, l.prefix = strings.CutSuffix(text[:end], "*")
	if star := strings.IndexByte(l.text, '*'); star >= 0 {
		l.position += utf8.RuneCountInString(l.text[:star])
		return 0, l.mistake("a * stands behind a word or a phrase, and alone: use the mode SUBSTRING for parts of words")
	}
	if op, ok := operators[text[:end]]; ok {
		l.kind = op
	}
	return end, nil
}
