// Command run starts the four services on one folder, shows their logs and
// stops them on Ctrl-C. It is what `make run` starts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/obby/go-services/deploy/run/stack"
)

// stopLimit bounds the stop of all services together; each has a limit of its
// own (--stop-timeout, 10 s) well inside it.
const stopLimit = 30 * time.Second

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "run:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	watch := flags.String("watch", "", "folder to watch; default: a demo folder below --data")
	data := flags.String("data", "data", "folder for the database and the demo folder")
	bin := flags.String("bin", "bin", "folder of the four programs")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	root, err := prepare(*watch, *data)
	if err != nil {
		return err
	}
	if err := checkPorts(os.LookupEnv); err != nil {
		return err
	}
	console := newConsole(os.Stdout)
	s, err := stack.Start(ctx, stack.Options{
		Bin: *bin, Database: filepath.Join(*data, "obby.db"), Roots: []string{root}, Log: console.line,
	})
	if err != nil {
		return err
	}
	console.say(welcome(s, root, *watch == ""))
	ended := s.Ended(ctx)
	console.say("stopping")
	stopCtx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	s.Stop(stopCtx)
	if ended != "" {
		return fmt.Errorf("%s ended by itself: its last log lines above say why", ended)
	}
	return nil
}

// welcome says where to look and what to try: in the demo folder a command that
// can be copied, in a folder of the person's own what they do there anyway.
func welcome(s *stack.Stack, root string, demo bool) string {
	page := "http://" + s.Get(stack.Hub).Addr["http"]
	try := "edit a file in that folder that its .obbywatch names"
	if demo {
		try = "echo hi > '" + filepath.Join(root, "notes", "a.md") + "'"
	}
	return fmt.Sprintf(`
  Watching   %s
  Live page  %s

  Open the page, then, in another terminal:
    %s
    curl -N '%s/events?topic=changes&last=10'
    curl '%s/api/v1/diffs?page_size=5'

  Ctrl-C stops everything; the history stays.
`, root, page, try, page, page)
}
