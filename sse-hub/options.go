package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/obby/go-services/sse-hub/internal/access"
	"github.com/obby/go-services/sse-hub/internal/hub"
	"github.com/obby/go-services/sse-hub/internal/web"
)

// reservedFiles are left for gRPC, the admin listener, the history and the calls that are
// passed on, of which there are at most 192, when HTTP has as many connections as it may
// (hub case 59). A guess.
const reservedFiles = 256

// spareProcs is by how many the threads that run Go at a time exceed the
// processors. The loops that write streams keep one thread for each processor busy
// for tens of milliseconds; with no more than those, a publication would wait until
// one of them is interrupted.
const spareProcs = 2

func setProcs() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.NumCPU() + spareProcs)
	}
}

func (s *settings) retention() hub.Retention {
	return hub.Retention{Events: s.HistoryEvents, Bytes: int64(s.HistoryBytes), Age: s.HistoryAge}
}

func (s *settings) hub() hub.Options {
	return hub.Options{MaxData: int(s.MaxData), Heartbeat: s.Heartbeat}
}

// access returns who is let in; nil: everybody.
func (s *settings) access(log *slog.Logger) (*access.Verifier, error) {
	if !s.authenticated() {
		return nil, nil
	}
	return access.New(access.Options{
		KeyFiles: s.AuthKeys, JWKS: s.AuthJWKS, Issuer: s.AuthIssuer, Audience: s.AuthAudience, Cookie: s.AuthCookie, Log: log,
	})
}

// web returns how HTTP is served. Whoever chose an address to listen on means it
// to be called by that name, too.
func (s *settings) web() (web.Options, error) {
	hosts := s.AllowHosts
	if host, _, _ := net.SplitHostPort(s.HTTP); host != "" { // Validate has seen it; ":8080" has none
		hosts = append([]string{host}, hosts...)
	}
	o := web.Options{
		Hosts: hosts, Origins: s.AllowOrigins, StreamsPerUser: s.StreamsPerUser,
		Plain: s.Sink == "net-http", Connections: connections(), Query: s.QueryHTTP,
	}
	if s.TLSCert != "" {
		certificate, err := tls.LoadX509KeyPair(s.TLSCert, s.TLSKey)
		if err != nil {
			return o, fmt.Errorf("--tls-cert and --tls-key: %w", err)
		}
		o.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	}
	return o, nil
}

// connections is how many of them leave files for the rest of the process.
func connections() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > 1<<24 {
		return 1 << 24
	}
	return max(1, int(limit.Cur)-reservedFiles)
}
