package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// listener is an address that a service will listen on.
type listener struct {
	variable string // the service's own setting, which the launcher passes on
	address  string // its default
	what     string
}

var listeners = []listener{
	{"OBBY_HUB_HTTP", "127.0.0.1:8080", "the live page"},
	{"OBBY_HUB_LISTEN", "127.0.0.1:50054", "sse-hub"},
	{"OBBY_HUB_ADMIN", "127.0.0.1:51054", "sse-hub's admin"},
	{"OBBY_WATCHER_LISTEN", "127.0.0.1:50051", "file-watcher"},
	{"OBBY_WATCHER_ADMIN", "127.0.0.1:51051", "file-watcher's admin"},
	{"OBBY_TRACKER_LISTEN", "127.0.0.1:50052", "content-tracker"},
	{"OBBY_TRACKER_ADMIN", "127.0.0.1:51052", "content-tracker's admin"},
	{"OBBY_QUERY_LISTEN", "127.0.0.1:50053", "query-service"},
	{"OBBY_QUERY_ADMIN", "127.0.0.1:51053", "query-service's admin"},
	{"OBBY_QUERY_HTTP", "127.0.0.1:0", "query-service's HTTP"},
}

// checkPorts says in one sentence which address is taken and what to do, before
// anything is started.
func checkPorts(env func(string) (string, bool)) error {
	for _, l := range listeners {
		if value, ok := env(l.variable); ok && value != "" {
			l.address = value
		}
		probe, err := net.Listen("tcp", l.address)
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("the address %s, for %s, is taken by another program: stop that one, or choose another:  %s=%s make run",
				l.address, l.what, l.variable, next(l.address))
		}
		if err != nil {
			return fmt.Errorf("%s=%s, for %s, cannot be used: %w", l.variable, l.address, l.what, err)
		}
		probe.Close()
	}
	return nil
}

// next suggests an address with another port.
func next(address string) string {
	host, port, err := net.SplitHostPort(address)
	number, convErr := strconv.Atoi(port)
	if err != nil || convErr != nil || number >= 65535-100 {
		return "127.0.0.1:0"
	}
	return net.JoinHostPort(host, strconv.Itoa(number+100))
}
