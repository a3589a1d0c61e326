package main

import (
	"fmt"
	"os"
	"sync"

	"github.com/obby/go-services/deploy/run/stack"
)

// console writes the services' logs, each line behind its service's name.
type console struct {
	mu      sync.Mutex // guards out: lines of several services arrive at once
	out     *os.File
	colours map[string]string // by service; empty where colour is not wanted
}

// ANSI colours that stand out on light and dark backgrounds alike.
var palette = []string{"\x1b[36m", "\x1b[33m", "\x1b[32m", "\x1b[35m"}

func newConsole(out *os.File) *console {
	c := &console{out: out, colours: map[string]string{}}
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	if terminal && os.Getenv("NO_COLOR") == "" { // https://no-color.org
		for i, name := range stack.Services {
			c.colours[name] = palette[i%len(palette)]
		}
	}
	return c
}

func (c *console) line(service, line string) {
	prefix := fmt.Sprintf("%-15s |", service)
	if colour := c.colours[service]; colour != "" {
		prefix = colour + prefix + "\x1b[0m"
	}
	c.say(prefix + " " + line)
}

func (c *console) say(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintln(c.out, text)
}
