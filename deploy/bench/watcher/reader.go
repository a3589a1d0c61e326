package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/obby/go-services/deploy/run/stack"
	watcherv1 "github.com/obby/go-services/proto/gen/obby/watcher/v1"
)

//go:embed watchdog_reader.py
var watchdogScript string

// bench is one run of the command.
type bench struct {
	options
	trees int
}

// reader is a process that reports what happens in a tree.
type reader interface {
	pid() int
	// await returns when the reader has reported the creation of n files.
	await(ctx context.Context, n int) (counted, error)
	close()
}

// counted is what a reader says of itself.
type counted struct {
	Files  int   `json:"files"`
	Events int64 `json:"events"` // as the kernel notified them; 0: it does not tell
	Resync int   `json:"resync"`

	path string // of the last notification, kept so that it is built
}

// tree makes a directory with subdirectories, to be watched.
func (b *bench) tree(directories int) (string, error) {
	b.trees++
	root := filepath.Join(b.dir, fmt.Sprintf("tree-%d", b.trees))
	for i := range directories {
		if err := os.MkdirAll(filepath.Join(root, fmt.Sprintf("%d", i/100), fmt.Sprintf("%d", i%100)), 0o755); err != nil {
			return "", err
		}
	}
	return root, os.WriteFile(filepath.Join(root, ".obbywatch"), []byte("*.md\n"), 0o644)
}

// watcher is the built file-watcher with one subscriber.
type watcher struct {
	process *stack.Process
	conn    *grpc.ClientConn
	client  watcherv1.FileWatcherServiceClient
	events  grpc.ServerStreamingClient[watcherv1.StreamEventsResponse]
	token   string // of the first item
	counted counted
}

func (b *bench) watcher(ctx context.Context, args ...string) (*watcher, error) {
	args = append([]string{"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--journal-events", "1000000", "--journal-bytes", "1GiB"}, args...)
	p, err := stack.StartProcess(ctx, filepath.Join(b.bin, stack.Watcher), stack.Watcher, args, func(string, string) {})
	if err != nil {
		return nil, err
	}
	w := &watcher{process: p}
	if w.conn, err = grpc.NewClient(p.Addr["grpc"], grpc.WithTransportCredentials(insecure.NewCredentials())); err != nil {
		return nil, err
	}
	w.client = watcherv1.NewFileWatcherServiceClient(w.conn)
	if w.events, err = w.client.StreamEvents(ctx, &watcherv1.StreamEventsRequest{}); err != nil {
		return nil, err
	}
	first, err := w.events.Recv()
	w.token = first.GetResumeToken()
	return w, err
}

// watch starts a watch and returns how long that took.
func (w *watcher) watch(ctx context.Context, root string, debounce time.Duration) (time.Duration, error) {
	start := time.Now()
	_, err := w.client.StartWatching(ctx, &watcherv1.StartWatchingRequest{Path: root, Debounce: durationpb.New(debounce)})
	return time.Since(start), err
}

func (w *watcher) pid() int { return w.process.PID() }

func (w *watcher) await(_ context.Context, n int) (counted, error) {
	for w.counted.Files < n {
		item, err := w.events.Recv()
		if err != nil {
			return w.counted, err
		}
		switch {
		case item.GetEvent().GetChangeType() == watcherv1.ChangeType_CHANGE_TYPE_CREATED:
			w.counted.Files++
		case item.GetResync() != nil:
			w.counted.Resync++
		}
	}
	return w.counted, nil
}

func (w *watcher) close() {
	w.conn.Close()
	w.process.Kill()
}

// child is a reader of another kind: it reads a number of files from its standard
// input, a line each time, and answers when it has seen so many.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startChild(cmd *exec.Cmd) (*child, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd, in, bufio.NewReader(out)}
	if _, err := c.out.ReadString('\n'); err != nil { // it watches
		return nil, fmt.Errorf("%s ended: %w", cmd.Path, err)
	}
	return c, nil
}

func (c *child) pid() int { return c.cmd.Process.Pid }

func (c *child) await(_ context.Context, n int) (counted, error) {
	var answer counted
	if _, err := fmt.Fprintln(c.in, n); err != nil {
		return answer, err
	}
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		return answer, err
	}
	return answer, json.Unmarshal(line, &answer)
}

func (c *child) close() {
	c.in.Close()
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait() // it was killed
}

// readers are started on a tree by their names.
func (b *bench) readers() map[string]func(ctx context.Context, root string) (reader, error) {
	all := map[string]func(ctx context.Context, root string) (reader, error){
		"file-watcher": func(ctx context.Context, root string) (reader, error) {
			w, err := b.watcher(ctx)
			if err == nil {
				_, err = w.watch(ctx, root, 500*time.Millisecond)
			}
			return w, err
		},
		"raw": func(_ context.Context, root string) (reader, error) { return startChild(helperCommand("raw", root)) },
	}
	if b.python != "" {
		all["watchdog"] = func(_ context.Context, root string) (reader, error) {
			return startChild(exec.Command(b.python, "-c", watchdogScript, root))
		}
	}
	return all
}
