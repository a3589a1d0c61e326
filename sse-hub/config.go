package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/obby/go-services/internal/config"
	"github.com/obby/go-services/internal/guard"
	"github.com/obby/go-services/internal/service"
)

// Bounds of the settings: a gRPC message carries no more than the first; clients
// take a longer silence than the second for a dead connection.
const (
	maxDataLimit   config.Bytes  = service.MaxMessageBytes / 2
	heartbeatLimit time.Duration = 15 * time.Second
)

// settings is what this service can be told.
type settings struct {
	HTTP            string        `name:"http" usage:"address of the HTTP listener: the live page and /events"`
	QueryHTTP       string        `name:"query-http" usage:"address of the query-service's HTTP listener, its --http, to which /api/ is passed on, so that a page has one origin; empty: there is no /api/"`
	TLSCert         string        `name:"tls-cert" usage:"file with the certificate chain (PEM) for HTTPS, which gives browsers HTTP/2; read at the start"`
	TLSKey          string        `name:"tls-key" usage:"file with the certificate's key (PEM)"`
	AllowHosts      []string      `name:"allow-host" usage:"host name, without port, that HTTP requests may name beside loopback and that of --http; may be repeated"`
	AllowOrigins    []string      `name:"allow-origin" usage:"origin of another site whose pages may read the events, such as https://notes.example; may be repeated"`
	AuthKeys        []string      `name:"auth-key" usage:"file with a key that tokens (JWT) are verified with: PEM public keys, a JWKS, or a secret for HS256 in one line of text; may be repeated; with a key, a token is needed to publish and to subscribe"`
	AuthJWKS        string        `name:"auth-jwks" usage:"URL of a JWKS with such keys; kept while it does not answer"`
	AuthIssuer      string        `name:"auth-issuer" usage:"issuer that tokens must name; empty: any"`
	AuthAudience    string        `name:"auth-audience" usage:"audience that tokens must name; empty: any"`
	AuthCookie      string        `name:"auth-cookie" usage:"name of the cookie that may hold a token"`
	Anonymous       bool          `name:"allow-anonymous" usage:"listen beyond loopback although nobody is asked for a token"`
	StreamsPerUser  int           `name:"streams-per-user" usage:"HTTP streams that one subject of tokens may have at a time"`
	HistoryDir      string        `name:"history-dir" usage:"directory of the events that can be replayed, of this hub alone; made where there is none"`
	HistoryInMemory bool          `name:"history-in-memory" usage:"keep the history in memory alone: faster, and lost with the process"`
	HistoryEvents   int           `name:"history-events" usage:"how many of the newest events can be replayed"`
	HistoryBytes    config.Bytes  `name:"history-bytes" usage:"what the events for replay may take, on disk or in memory"`
	HistoryAge      time.Duration `name:"history-age" usage:"how long an event can be replayed"`
	HistoryMemory   config.Bytes  `name:"history-memory" usage:"what of a history on disk may be in memory as well: the newest events"`
	MaxData         config.Bytes  `name:"max-data" usage:"largest data of one event; each line after the first counts 6 bytes more"`
	Heartbeat       time.Duration `name:"heartbeat" usage:"longest silence of a stream"`
	Sink            string        `name:"sink" usage:"who writes HTTP/1.1 streams: auto (an event loop, where there is one), or net-http (a goroutine each)"`
	service.Settings
}

func defaults() settings {
	return settings{
		HTTP: "127.0.0.1:8080", AuthCookie: "obby_token", StreamsPerUser: 100,
		HistoryDir: "hub-history", HistoryEvents: 100_000, HistoryBytes: 64 << 20, HistoryAge: 7 * 24 * time.Hour, HistoryMemory: 8 << 20,
		MaxData: 1 << 20, Heartbeat: heartbeatLimit, Sink: "auto", Settings: service.Defaults("127.0.0.1:50054", "127.0.0.1:51054"),
	}
}

// Validate reports every setting that cannot be used.
func (s *settings) Validate() error {
	errs := []error{s.Settings.Validate(), s.validateHTTP(), s.validateAccess(), s.validateHistory()}
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.MaxData < 1 || s.MaxData > maxDataLimit {
		refuse("--max-data: %v is not usable: give 1 to %v", s.MaxData, maxDataLimit)
	}
	if s.Heartbeat <= 0 || s.Heartbeat > heartbeatLimit {
		refuse("--heartbeat: %v is not usable: give a duration above 0, at most %v", s.Heartbeat, heartbeatLimit)
	}
	if s.Sink != "auto" && s.Sink != "net-http" {
		refuse("--sink: %q is not one of auto and net-http", s.Sink)
	}
	return errors.Join(errs...)
}

func (s *settings) validateHTTP() error {
	var errs []error
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if _, _, err := net.SplitHostPort(s.HTTP); err != nil {
		refuse("--http: %q is not an address: give host:port, such as 127.0.0.1:8080", s.HTTP)
	}
	if _, port, err := net.SplitHostPort(s.QueryHTTP); s.QueryHTTP != "" && (err != nil || port == "" || port == "0") {
		refuse("--query-http: %q is not an address to call: give host:port, such as 127.0.0.1:8081", s.QueryHTTP)
	}
	if (s.TLSCert == "") != (s.TLSKey == "") {
		refuse("--tls-cert and --tls-key: give both or none")
	}
	errs = append(errs, guard.Validate(s.AllowHosts, s.AllowOrigins))
	return errors.Join(errs...)
}

// validateAccess refuses to let everybody in who can reach the machine, unless
// that is meant.
func (s *settings) validateAccess() error {
	var errs []error
	if u, err := url.Parse(s.AuthJWKS); s.AuthJWKS != "" && (err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Host))) {
		errs = append(errs, fmt.Errorf("--auth-jwks: %q is not usable: give an https URL", s.AuthJWKS))
	}
	if s.AuthCookie == "" || strings.ContainsAny(s.AuthCookie, " \t=;,\"") {
		errs = append(errs, fmt.Errorf("--auth-cookie: %q is not a cookie's name", s.AuthCookie))
	}
	if s.StreamsPerUser < 1 {
		errs = append(errs, fmt.Errorf("--streams-per-user: %d is not usable: give at least 1", s.StreamsPerUser))
	}
	if s.authenticated() || s.Anonymous {
		return errors.Join(errs...)
	}
	for _, a := range []struct{ flag, addr string }{{"http", s.HTTP}, {"listen", s.Listen}} {
		if !loopback(a.addr) {
			errs = append(errs, fmt.Errorf("--%s: %s can be reached from other machines, and nobody would be asked for a token: "+
				"give a key with --auth-key or --auth-jwks, or say --allow-anonymous if that is meant", a.flag, a.addr))
		}
	}
	return errors.Join(errs...)
}

func (s *settings) authenticated() bool { return len(s.AuthKeys) > 0 || s.AuthJWKS != "" }

func (s *settings) validateHistory() error {
	var errs []error
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.HistoryDir == "" && !s.HistoryInMemory {
		refuse("--history-dir: is empty: name a directory, or say --history-in-memory")
	}
	if s.HistoryEvents < 1 {
		refuse("--history-events: %d is not usable: give at least 1", s.HistoryEvents)
	}
	if s.HistoryAge <= 0 {
		refuse("--history-age: %v is not usable: give a duration above 0", s.HistoryAge)
	}
	if s.HistoryBytes < s.MaxData {
		refuse("--history-bytes: %v is less than one event may have (--max-data, %v)", s.HistoryBytes, s.MaxData)
	}
	return errors.Join(errs...)
}

// loopback reports whether an address can be reached from this machine alone. What
// a name means may change, so only localhost counts among them.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
