package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/obby/go-services/internal/config"
	"github.com/obby/go-services/internal/service"
	"github.com/obby/go-services/sse-hub/internal/hub"
	"github.com/obby/go-services/sse-hub/internal/web"
)

// Bounds of the settings: a gRPC message carries no more than the first; clients
// take a longer silence than the second for a dead connection.
const (
	maxDataLimit   config.Bytes  = service.MaxMessageBytes / 2
	heartbeatLimit time.Duration = 15 * time.Second
)

// settings is what this service can be told.
type settings struct {
	HTTP          string        `name:"http" usage:"address of the HTTP listener: the live page and /events"`
	AllowHosts    []string      `name:"allow-host" usage:"host name, without port, that HTTP requests may name beside loopback and that of --http; may be repeated"`
	AllowOrigins  []string      `name:"allow-origin" usage:"origin of another site whose pages may read the events, such as https://notes.example; may be repeated"`
	HistoryEvents int           `name:"history-events" usage:"how many of the newest events can be replayed"`
	HistoryBytes  config.Bytes  `name:"history-bytes" usage:"memory that the events for replay may take"`
	HistoryAge    time.Duration `name:"history-age" usage:"how long an event can be replayed"`
	MaxData       config.Bytes  `name:"max-data" usage:"largest data of one event; each line after the first counts 6 bytes more"`
	Heartbeat     time.Duration `name:"heartbeat" usage:"longest silence of a stream"`
	service.Settings
}

func defaults() settings {
	return settings{
		HTTP: "127.0.0.1:8080", HistoryEvents: 10_000, HistoryBytes: 64 << 20, HistoryAge: 24 * time.Hour,
		MaxData: 1 << 20, Heartbeat: heartbeatLimit, Settings: service.Defaults("127.0.0.1:50054", "127.0.0.1:51054"),
	}
}

// Validate reports every setting that cannot be used.
func (s *settings) Validate() error {
	errs := []error{s.Settings.Validate()}
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if _, _, err := net.SplitHostPort(s.HTTP); err != nil {
		refuse("--http: %q is not an address: give host:port, such as 127.0.0.1:8080", s.HTTP)
	}
	for _, host := range s.AllowHosts {
		if u, err := url.Parse("//" + host); err != nil || host == "" || u.Host != host || u.Port() != "" {
			refuse("--allow-host: %q is not a host name: give it without scheme, port and path", host)
		}
	}
	for _, origin := range s.AllowOrigins {
		u, err := url.Parse(origin)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || origin != u.Scheme+"://"+u.Host {
			refuse("--allow-origin: %q is not an origin: give scheme://host or scheme://host:port", origin)
		}
	}
	if s.HistoryEvents < 1 {
		refuse("--history-events: %d is not usable: give at least 1", s.HistoryEvents)
	}
	if s.HistoryAge <= 0 {
		refuse("--history-age: %v is not usable: give a duration above 0", s.HistoryAge)
	}
	if s.MaxData < 1 || s.MaxData > maxDataLimit {
		refuse("--max-data: %v is not usable: give 1 to %v", s.MaxData, maxDataLimit)
	}
	if s.HistoryBytes < s.MaxData {
		refuse("--history-bytes: %v is less than one event may have (--max-data, %v)", s.HistoryBytes, s.MaxData)
	}
	if s.Heartbeat <= 0 || s.Heartbeat > heartbeatLimit {
		refuse("--heartbeat: %v is not usable: give a duration above 0, at most %v", s.Heartbeat, heartbeatLimit)
	}
	return errors.Join(errs...)
}

func (s *settings) retention() hub.Retention {
	return hub.Retention{Events: s.HistoryEvents, Bytes: int64(s.HistoryBytes), Age: s.HistoryAge}
}

func (s *settings) hub() hub.Options {
	return hub.Options{MaxData: int(s.MaxData), Heartbeat: s.Heartbeat}
}

// web returns who may read: whoever chose an address to listen on means it to be
// called by that name, too.
func (s *settings) web() web.Options {
	hosts := s.AllowHosts
	if host, _, _ := net.SplitHostPort(s.HTTP); host != "" { // Validate has seen it; ":8080" has none
		hosts = append([]string{host}, hosts...)
	}
	return web.Options{Hosts: hosts, Origins: s.AllowOrigins}
}
