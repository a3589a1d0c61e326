package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// client is one browser: a raw socket and what it has seen.
type client struct {
	topic  string
	source int // last byte of its loopback address
	fd     int
	stage  stage
	since  time.Duration // when it stopped to read
	rest   []byte        // of a frame that has not come whole
	lastID string        // of the last event
	last   int64         // the same as a number
	counts
}

type stage int

const (
	away stage = iota
	connecting
	asked
	open
)

// counts are what a client has seen.
type counts struct {
	events, duplicates, resets, connects int64
}

// dial begins to connect; epoll tells when it is done.
func (c *client) dial(to *unix.SockaddrInet4) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	// Many addresses: one has too few ports for a day of reconnects. The port is
	// chosen at connect, when the whole pair has to be free and no less.
	_ = unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(c.source)}}); err != nil {
		_ = unix.Close(fd)
		return err
	}
	if err := unix.Connect(fd, to); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		_ = unix.Close(fd)
		return err
	}
	c.fd, c.stage = fd, connecting
	c.rest = c.rest[:0]
	return nil
}

// ask sends the request.
func (c *client) ask() error {
	request := fmt.Sprintf("GET /events?topic=%s HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n", c.topic)
	if c.lastID != "" {
		request += "Last-Event-ID: " + c.lastID + "\r\n"
	}
	_, err := unix.Write(c.fd, []byte(request+"\r\n"))
	c.stage = asked
	return err
}

// hangUp closes the socket; at once and without a farewell where reset is true.
func (c *client) hangUp(reset bool) {
	if reset {
		_ = unix.SetsockoptLinger(c.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	}
	_ = unix.Close(c.fd)
	c.stage = away
}

var (
	frameEnd  = []byte("\n\n")
	dataField = []byte("data: ")
	idField   = []byte("id: ")
	resetType = []byte("event: reset")
)

// take reads what has come. Each event is given to seen with the text of its data.
func (c *client) take(chunk []byte, seen func(data []byte)) {
	if c.stage == asked { // the first bytes hold the head, which is a frame to look at
		c.stage = open
		c.connects++
	}
	if len(c.rest) > 0 {
		c.rest = append(c.rest, chunk...)
		chunk = c.rest
	}
	for {
		end := bytes.Index(chunk, frameEnd)
		if end < 0 {
			break
		}
		c.frame(chunk[:end], seen)
		chunk = chunk[end+len(frameEnd):]
	}
	c.rest = append(c.rest[:0], chunk...)
}

func (c *client) frame(frame []byte, seen func([]byte)) {
	if bytes.Contains(frame, resetType) {
		c.resets++
	}
	isEvent := bytes.HasPrefix(frame, dataField)
	at := bytes.LastIndex(frame, idField)
	if at < 0 {
		return
	}
	id := frame[at+len(idField):]
	n, _ := strconv.ParseInt(string(id[bytes.LastIndexByte(id, '-')+1:]), 10, 64)
	if isEvent {
		if n <= c.last {
			c.duplicates++
			return
		}
		c.events++
		data := frame[len(dataField):]
		seen(data[:bytes.IndexByte(data, '\n')])
	}
	c.last = n
	c.lastID = string(id)
}
