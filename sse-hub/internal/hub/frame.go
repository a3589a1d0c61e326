package hub

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// The frames below are those of WHATWG HTML 9.2.5. A frame is built once, ends
// with the empty line that dispatches it, and is written whole: a client that
// loses the connection inside one discards it and asks for it again (hub case 14).

// dataField introduces a line of data. The space is always there: a reader takes
// exactly one away, so data that begins with a space keeps it (hub case 4).
const dataField = "data: "

// idRoom is left for an event's id line and the empty line after it.
const idRoom = 48

// Heartbeat is a comment: it keeps the connection alive and does nothing else.
var Heartbeat = []byte(":\n\n")

// openFrame begins a frame with everything but the id. The id comes last so that
// the long part is written before the event has its place.
//
// It also returns the data to keep beside the frame, and how much that takes:
// one line is in the frame as it is, and need not be kept twice.
func openFrame(eventType string, data []byte) (frame, kept []byte, extra int) {
	frame = make([]byte, 0, len("event: \n")+len(eventType)+len(dataField)+framedSize(data)+len("\n")+idRoom)
	if eventType != DefaultType {
		frame = append(frame, "event: "+eventType+"\n"...)
	}
	start := len(frame) + len(dataField)
	frame = appendData(frame, data)
	if end := start + len(data); end+1 == len(frame) {
		return frame, frame[start:end:end], 0
	}
	return frame, data, len(data)
}

// closeFrame ends a frame with its id.
func closeFrame(frame []byte, id string) []byte { return append(frame, "id: "+id+"\n\n"...) }

// appendData writes each line of data as a field. CR, LF and CRLF all end a line,
// as they do for the reader, so nothing in data can begin a field of its own
// (hub cases 1 and 6). Empty data is one empty line: an event, not none (case 3).
func appendData(dst, data []byte) []byte {
	for more := true; more; {
		var line []byte
		line, data, more = cutLine(data)
		dst = append(dst, dataField...)
		dst = append(dst, line...)
		dst = append(dst, '\n')
	}
	return dst
}

func cutLine(data []byte) (line, rest []byte, more bool) {
	i := bytes.IndexAny(data, "\r\n")
	if i < 0 {
		return data, nil, false
	}
	line, rest = data[:i], data[i+1:]
	if data[i] == '\r' && len(rest) > 0 && rest[0] == '\n' {
		rest = rest[1:]
	}
	return line, rest, true
}

// framedSize is what data takes of a stream beside the field of its first line:
// data of many short lines grows to a multiple (hub case 20).
func framedSize(data []byte) int {
	ends := bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r")) - bytes.Count(data, []byte("\r\n"))
	return len(data) + ends*len(dataField)
}

// IDFrame moves a client's last event id and dispatches nothing.
func IDFrame(id string) []byte { return closeFrame(nil, id) }

// RetryFrame sets how long a client waits before it connects again.
func RetryFrame(d time.Duration) []byte { return fmt.Appendf(nil, "retry: %d\n\n", d.Milliseconds()) }

// resetFrame tells a client that what it missed cannot be replayed; id is where
// its stream goes on.
func resetFrame(r *Reset, id string) []byte {
	data, _ := json.Marshal(r) // strings alone: cannot fail
	return closeFrame(appendData([]byte("event: reset\n"), data), id)
}

// NoticeFrame tells a client something of its stream that is no event of a topic:
// it has no id. Kind begins with `hub.`, which nobody can publish.
func NoticeFrame(kind, reason string) []byte {
	data, _ := json.Marshal(map[string]string{"reason": reason}) // strings alone: cannot fail
	return append(appendData([]byte("event: "+kind+"\n"), data), '\n')
}
