package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/obby/go-services/internal/guard"
	"github.com/obby/go-services/internal/service"
	"github.com/obby/go-services/query-service/internal/web"
)

// settings is what this service can be told.
type settings struct {
	Database     string   `name:"database" usage:"path of the SQLite database; the service waits until the content-tracker or the Python backend has made it"`
	HTTP         string   `name:"http" usage:"address of the HTTP listener, the same API as JSON, such as 127.0.0.1:8081; empty: none"`
	AllowHosts   []string `name:"allow-host" usage:"host name, without port, that HTTP requests may name beside loopback and that of --http; may be repeated"`
	AllowOrigins []string `name:"allow-origin" usage:"origin of a site whose pages may read over HTTP, such as https://notes.example; may be repeated"`
	service.Settings
}

func defaults() settings {
	return settings{Database: "obby.db", Settings: service.Defaults("127.0.0.1:50053", "127.0.0.1:51053")}
}

// Validate reports every setting that cannot be used.
func (s *settings) Validate() error {
	var err error
	if s.Database == "" {
		err = errors.New("--database: is empty: give the path of the SQLite database")
	}
	return errors.Join(err, s.validateHTTP(), guard.Validate(s.AllowHosts, s.AllowOrigins), s.Settings.Validate())
}

func (s *settings) validateHTTP() error {
	if _, _, err := net.SplitHostPort(s.HTTP); s.HTTP != "" && err != nil {
		return fmt.Errorf("--http: %q is not an address: give host:port, such as 127.0.0.1:8081, or leave it out", s.HTTP)
	}
	return nil
}

// web says who may read over HTTP.
func (s *settings) web() web.Options {
	o := web.Options{Hosts: s.AllowHosts, Origins: s.AllowOrigins}
	if host, _, err := net.SplitHostPort(s.HTTP); err == nil && host != "" {
		o.Hosts = append(o.Hosts[:len(o.Hosts):len(o.Hosts)], host)
	}
	return o
}

// listenHTTP returns the HTTP listener, where one is asked for.
func listenHTTP(cfg *settings, metrics *prometheus.Registry, log *slog.Logger) []service.HTTP {
	if cfg.HTTP == "" {
		return nil
	}
	server := web.New(cfg.web(), metrics, log)
	return []service.HTTP{{Name: "http", Addr: cfg.HTTP, Server: server.HTTP, OverGRPC: server.OverGRPC}}
}
