package rpcerr_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/obby/go-services/internal/rpcerr"
)

func TestLongValuesAreCut(t *testing.T) {
	a200 := strings.Repeat("a", 200)
	discard := slog.New(slog.DiscardHandler)
	for _, tc := range []struct{ name, message, want string }{
		{"short", `read "/a b": no such thing`, `read "/a b": no such thing`},
		{"just short enough", "read " + a200 + ": odd path", "read " + a200 + ": odd path"},
		{"quoted", fmt.Sprintf("read %q: odd path", strings.Repeat("a", 100_000)), `read "` + a200 + `…" (100000 characters): odd path`},
		{"a word", "read " + strings.Repeat("é", 1000) + " twice: odd path", "read " + strings.Repeat("é", 100) + "… (1000 characters) twice: odd path"},
		{"two of them", fmt.Sprintf("move %q to %q", strings.Repeat("a", 300), strings.Repeat("a", 400)), `move "` + a200 + `…" (300 characters) to "` + a200 + `…" (400 characters)`},
		{"many words", "begin " + strings.Repeat("é ", 1000) + "end", "begin " + strings.Repeat("é ", 131) + " … " + strings.Repeat(" é", 52) + " end"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			st := status.Convert(table.Status(discard, fmt.Errorf("%s%w", tc.message, errOddSilent{})))
			if st.Message() != tc.want {
				t.Errorf("message is\n%q, want\n%q", st.Message(), tc.want)
			}
		})
	}
}

// errOddSilent is errOdd without a text.
type errOddSilent struct{}

func (errOddSilent) Error() string        { return "" }
func (errOddSilent) Is(target error) bool { return target == errOdd }

func FuzzCut(f *testing.F) {
	f.Add("a", 1000)
	f.Add(`\" é`, 700)
	f.Add("\U0001F331\n", 300)
	f.Fuzz(func(t *testing.T, part string, n int) {
		text := strings.ToValidUTF8(strings.Repeat(part, min(max(n, 0), 2000)), "?")
		for _, err := range []error{rpcerr.Field("path", "%s", text), fmt.Errorf("%s: %w", text, errOdd), fmt.Errorf("%q: %w", text, errOdd)} {
			st := status.Convert(table.Status(slog.New(slog.DiscardHandler), err))
			// As gRPC sends it: percent-encoded, and with the details in base64.
			size := 3*len(st.Message()) + proto.Size(st.Proto())*4/3
			if size > 3800 || !utf8.ValidString(st.Message()) {
				t.Errorf("%d bytes: %q", size, st.Message())
			}
			var field *rpcerr.FieldError
			if !errors.As(err, &field) && len(text) > 1000 && !strings.HasSuffix(st.Message(), "odd path") {
				t.Errorf("what is wrong is cut off: %q", st.Message())
			}
		}
	})
}
