// Package ssetest reads Server-Sent Events in tests, to the letter of WHATWG HTML
// 9.2.6: what it sees is what a browser sees.
package ssetest

import (
	"bytes"
	"strings"
)

// Event is what a browser dispatches.
type Event struct{ Type, Data, ID string }

// Parser takes a stream in chunks of any size. The zero value is ready.
type Parser struct {
	Events   []Event  // dispatched so far
	LastID   string   // what the browser would send as Last-Event-ID
	Retry    string   // the last valid retry field
	Comments []string // comment lines, which a browser discards

	begun         bool
	afterCR       bool
	line          []byte
	id, kind      string
	data          strings.Builder
	hasData       bool
	UnknownFields []string // names that a browser ignores
}

// Write implements io.Writer.
func (p *Parser) Write(chunk []byte) (int, error) {
	for _, c := range chunk {
		if c == '\n' && p.afterCR {
			p.afterCR = false
			continue
		}
		p.afterCR = c == '\r'
		if c != '\n' && c != '\r' {
			p.line = append(p.line, c)
			continue
		}
		if !p.begun {
			p.begun = true
			p.line = bytes.TrimPrefix(p.line, []byte("\ufeff"))
		}
		p.take(string(p.line))
		p.line = p.line[:0]
	}
	return len(chunk), nil
}

func (p *Parser) take(line string) {
	if line == "" {
		p.dispatch()
		return
	}
	field, value, _ := strings.Cut(line, ":")
	value = strings.TrimPrefix(value, " ")
	switch field {
	case "":
		p.Comments = append(p.Comments, value)
	case "event":
		p.kind = value
	case "data":
		p.hasData = true
		p.data.WriteString(value + "\n")
	case "id":
		if !strings.Contains(value, "\x00") {
			p.id = value
		}
	case "retry":
		if value != "" && strings.Trim(value, "0123456789") == "" {
			p.Retry = value
		}
	default:
		p.UnknownFields = append(p.UnknownFields, field)
	}
}

func (p *Parser) dispatch() {
	p.LastID = p.id
	if p.hasData {
		kind := p.kind
		if kind == "" {
			kind = "message"
		}
		p.Events = append(p.Events, Event{kind, strings.TrimSuffix(p.data.String(), "\n"), p.LastID})
	}
	p.kind, p.hasData = "", false
	p.data.Reset()
}
