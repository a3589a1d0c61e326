package stack

import (
	"maps"
	"testing"
)

func TestLogFields(t *testing.T) {
	line := `time=2026-01-02T03:04:05.000Z level=INFO msg=listening grpc=127.0.0.1:1 admin=[::1]:2 note="a \"b\" c=d"`
	fields := logFields(line)
	want := map[string]string{"grpc": "127.0.0.1:1", "admin": "[::1]:2"}
	if got := addresses(fields); fields["msg"] != "listening" || !maps.Equal(got, want) {
		t.Errorf("fields are %v", fields)
	}
	if fields["note"] != `a "b" c=d` {
		t.Errorf("note is %q", fields["note"])
	}
	if got := logFields("panic: something went wrong"); len(got) != 0 {
		t.Errorf("a line that is no log line gave %v", got)
	}
}
