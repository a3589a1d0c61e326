package hub

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/sse-hub/internal/ssetest"
)

func frame(eventType, data, id string) string {
	f, _, _ := openFrame(eventType, []byte(data))
	return string(closeFrame(f, id))
}

// received is what a browser makes of a stream.
func received(stream string) []ssetest.Event {
	var p ssetest.Parser
	_, _ = p.Write([]byte(stream))
	return p.Events
}

func TestFrame(t *testing.T) {
	for _, tc := range []struct{ name, data, wire, got string }{
		{"case 1: LF, CR and CRLF end a line", "a\r\nb\rc\nd", "data: a\ndata: b\ndata: c\ndata: d\n", "a\nb\nc\nd"},
		{"case 2: data that ends in a newline keeps it", "x\n", "data: x\ndata: \n", "x\n"},
		{"case 2: and in several", "x\n\r\r\n", "data: x\ndata: \ndata: \ndata: \n", "x\n\n\n"},
		{"case 3: empty data is an event", "", "data: \n", ""},
		{"case 4: a leading space is data", " x", "data:  x\n", " x"},
		{"case 5: a colon first", ":x", "data: :x\n", ":x"},
		{"case 5: a field's name first", "id: 7\nevent: admin\n", "data: id: 7\ndata: event: admin\ndata: \n", "id: 7\nevent: admin\n"},
		{"case 6: a lone CR begins no field", "\revent: admin\rdata: {}", "data: \ndata: event: admin\ndata: data: {}\n", "\nevent: admin\ndata: {}"},
		{"case 6: nor an event", "a\r\r\n\n\nid: 1\n\n", "data: a\ndata: \ndata: \ndata: \ndata: id: 1\ndata: \ndata: \n", "a\n\n\n\nid: 1\n\n"},
		{"case 10: a byte order mark is data", "\ufeffx", "data: \ufeffx\n", "\ufeffx"},
		{"case 11: U+2028, U+2029 and NUL are data", "a\u2028b\u2029c\x00", "data: a\u2028b\u2029c\x00\n", "a\u2028b\u2029c\x00"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wire := frame(DefaultType, tc.data, "e-1")
			if want := tc.wire + "id: e-1\n\n"; wire != want {
				t.Errorf("frame is %q, want %q", wire, want)
			}
			if diff := cmp.Diff([]ssetest.Event{{Type: "message", Data: tc.got, ID: "e-1"}}, received(wire)); diff != "" {
				t.Errorf("a browser gets (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFramesTogether(t *testing.T) {
	one, two := frame("created", "a\nb", "e-1"), frame(DefaultType, "c", "e-2")
	t.Run("case 13: a comment between events is nothing", func(t *testing.T) {
		want := []ssetest.Event{{Type: "created", Data: "a\nb", ID: "e-1"}, {Type: "message", Data: "c", ID: "e-2"}}
		if diff := cmp.Diff(want, received(one+string(Heartbeat)+two+string(Heartbeat))); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("case 14: a frame that is cut off is no event, and its id no cursor", func(t *testing.T) {
		var p ssetest.Parser
		_, _ = p.Write([]byte(one + two[:len(two)-1]))
		if len(p.Events) != 1 || p.LastID != "e-1" {
			t.Errorf("events are %v, last id %q", p.Events, p.LastID)
		}
	})
	t.Run("case 3: an id alone dispatches nothing and moves the cursor", func(t *testing.T) {
		var p ssetest.Parser
		_, _ = p.Write(append([]byte(one), IDFrame("e-9")...))
		if len(p.Events) != 1 || p.LastID != "e-9" {
			t.Errorf("events are %v, last id %q", p.Events, p.LastID)
		}
	})
	t.Run("case 9: retry is in milliseconds, digits alone", func(t *testing.T) {
		var p ssetest.Parser
		_, _ = p.Write(RetryFrame(2345e6))
		if p.Retry != "2345" {
			t.Errorf("retry is %q", p.Retry)
		}
	})
	t.Run("cases 15 and 17: known fields only, an id on every event", func(t *testing.T) {
		var p ssetest.Parser
		reset := &Reset{Reason: Expired, Oldest: "e-3", Newest: "e-7"}
		_, _ = p.Write([]byte(one + two + string(resetFrame(reset, "e-7")) + string(RetryFrame(1e9))))
		if p.UnknownFields != nil {
			t.Errorf("unknown fields %q", p.UnknownFields)
		}
		want := ssetest.Event{Type: "reset", Data: `{"reason":"expired","oldest":"e-3","newest":"e-7"}`, ID: "e-7"}
		if diff := cmp.Diff(want, p.Events[2]); diff != "" {
			t.Error(diff)
		}
	})
}

func TestFrameOfOneLineHoldsItOnce(t *testing.T) {
	f, kept, extra := openFrame("created", []byte(`{"a":1}`))
	if extra != 0 || string(kept) != `{"a":1}` || &kept[0] != &f[len("event: created\ndata: ")] {
		t.Errorf("kept %q, %d bytes more", kept, extra)
	}
	if sealed := closeFrame(f, "abcdefgh-18446744073709551615"); &sealed[0] != &f[0] {
		t.Error("the id did not fit into the room left for it")
	}
	if _, kept, extra := openFrame("created", []byte("a\rb")); extra != 3 || string(kept) != "a\rb" {
		t.Errorf("kept %q, %d bytes more", kept, extra)
	}
}

// Case 18: whatever the data, and wherever the network splits the stream, a
// browser gets the same events, and data means what it says.
func FuzzFrame(f *testing.F) {
	f.Add([]byte("a\r\nb"), uint64(1))
	f.Add([]byte("\r\r\n\n: id: x\x00\ufeff"), uint64(0xaaaa))
	f.Add([]byte(""), uint64(0))
	f.Fuzz(func(t *testing.T, data []byte, splits uint64) {
		p := Publication{Topic: "t", Type: "created", Data: data}
		if p.check(1<<20) != nil {
			if utf8.Valid(data) {
				t.Fatal("valid data was refused")
			}
			return
		}
		stream := []byte(frame("created", string(data), "e-1") + frame(DefaultType, string(data), "e-2"))
		want := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))
		var whole, split ssetest.Parser
		_, _ = whole.Write(stream)
		for start, i := 0, 0; i < len(stream); i++ {
			if splits>>(i%64)&1 == 1 || i == len(stream)-1 {
				_, _ = split.Write(stream[start : i+1])
				start = i + 1
			}
		}
		if diff := cmp.Diff([]ssetest.Event{{Type: "created", Data: want, ID: "e-1"}, {Type: "message", Data: want, ID: "e-2"}}, whole.Events); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(whole.Events, split.Events); diff != "" {
			t.Errorf("split stream differs (-whole +split):\n%s", diff)
		}
	})
}

func TestFramedSize(t *testing.T) {
	for _, data := range []string{"", "a", "\n", "\r\n", "\n\r", "\r\r\n\n", "a\r\nb\rc\nd"} {
		f, _, _ := openFrame(DefaultType, []byte(data))
		normal := strings.Count(data, "\r\n") // CRLF becomes one byte
		if got := len(f) - len(dataField) - 1; got != framedSize([]byte(data))-normal {
			t.Errorf("framedSize(%s) is %d, the frame has %d", strconv.Quote(data), framedSize([]byte(data)), got)
		}
	}
}
