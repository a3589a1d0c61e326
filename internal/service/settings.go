package service

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"
)

// Settings is what every service can be told; each embeds it in its own.
type Settings struct {
	Listen      string        `name:"listen" usage:"address of the gRPC listener; port 0 takes a free one"`
	Admin       string        `name:"admin" usage:"address of the admin HTTP listener: /metrics, /healthz, /readyz"`
	Reflection  string        `name:"reflection" usage:"gRPC server reflection: on, off, or auto, which is on where gRPC listens on loopback"`
	Pprof       bool          `name:"pprof" usage:"serve profiles below /debug/pprof/ on the admin listener"`
	LogLevel    string        `name:"log-level" usage:"least level that is logged: debug, info, warn or error"`
	LogFormat   string        `name:"log-format" usage:"form of the log on standard error: text or json"`
	StopTimeout time.Duration `name:"stop-timeout" usage:"upper bound of a graceful stop"`
}

// Defaults returns the settings of a service with these addresses.
func Defaults(listen, admin string) Settings {
	return Settings{
		Listen: listen, Admin: admin, Reflection: "auto",
		LogLevel: "info", LogFormat: "text", StopTimeout: 10 * time.Second,
	}
}

// Validate reports every setting that cannot be used. A config struct that
// embeds Settings and has a Validate of its own calls it.
func (s *Settings) Validate() error {
	var errs []error
	for _, a := range []struct{ flag, addr string }{{"listen", s.Listen}, {"admin", s.Admin}} {
		if _, _, err := net.SplitHostPort(a.addr); err != nil {
			errs = append(errs, fmt.Errorf("--%s: %q is not an address: give host:port, such as 127.0.0.1:0", a.flag, a.addr))
		}
	}
	errs = append(errs,
		oneOf("reflection", s.Reflection, "auto", "on", "off"),
		oneOf("log-level", s.LogLevel, "debug", "info", "warn", "error"),
		oneOf("log-format", s.LogFormat, "text", "json"))
	if s.StopTimeout <= 0 {
		errs = append(errs, fmt.Errorf("--stop-timeout: %v is not usable: give a duration above 0", s.StopTimeout))
	}
	return errors.Join(errs...)
}

func oneOf(flag, value string, allowed ...string) error {
	for _, a := range allowed {
		if value == a {
			return nil
		}
	}
	return fmt.Errorf("--%s: %q is not one of %q", flag, value, allowed)
}

// Logger returns the logger of the named service. Settings must be valid. The
// name is in each JSON line; in text form the terminal or the journal has it.
func (s *Settings) Logger(w io.Writer, name string) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(s.LogLevel)) // Validate has seen it
	options := &slog.HandlerOptions{Level: level}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options)).With("service", name)
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// loopback reports whether an address is reachable from this machine alone.
func loopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
