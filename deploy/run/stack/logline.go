package stack

import (
	"strconv"
	"strings"
)

// logFields reads the attributes of a log line of slog's text form.
func logFields(line string) map[string]string {
	fields := map[string]string{}
	for line != "" {
		key, rest, ok := strings.Cut(line, "=")
		if !ok || strings.ContainsAny(key, " \"") {
			return fields
		}
		var value string
		if quoted, err := strconv.QuotedPrefix(rest); err == nil {
			value, _ = strconv.Unquote(quoted)
			line = strings.TrimPrefix(rest[len(quoted):], " ")
		} else {
			value, line, _ = strings.Cut(rest, " ")
		}
		fields[key] = value
	}
	return fields
}

// addresses keeps what a `listening` line says beside slog's own attributes.
func addresses(fields map[string]string) map[string]string {
	addr := map[string]string{}
	for _, listener := range []string{"grpc", "admin", "http"} {
		if fields[listener] != "" {
			addr[listener] = fields[listener]
		}
	}
	return addr
}

// flagOf names the flag that sets a listener's address.
func flagOf(listener string) string {
	if listener == "grpc" {
		return "listen"
	}
	return listener
}
