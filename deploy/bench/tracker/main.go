// Command tracker measures the content-tracker and prints JSON.
//
// It starts the built program on a folder of generated Markdown files of about
// 5 KB and reports
//
//   - TrackBatch of new files, and of the same files with one paragraph changed:
//     files per second, and what they cost the tracker in CPU time;
//   - TrackChange one at a time: what a single caller waits for, a commit on disk
//     included;
//   - TrackChange from many callers at once: steps per second by number of callers;
//   - Reconcile of all files, unchanged;
//   - memory at rest and at the end.
//
// Times depend on the machine and what else it does; compare figures of one run.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/obby/go-services/deploy/bench/measure"
	"github.com/obby/go-services/deploy/run/stack"
	trackerv1 "github.com/obby/go-services/proto/gen/obby/tracker/v1"
)

// options are the command's flags.
type options struct {
	bin   string
	dir   string
	files int
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin", "directory of the built programs")
	flag.StringVar(&o.dir, "dir", "", "where files and database are made; default: the system's temporary directory")
	flag.IntVar(&o.files, "files", 5000, "number of files")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	report, err := run(ctx, o)
	stop()
	if err == nil {
		err = measure.Print(report)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (*report, error) {
	dir, err := os.MkdirTemp(o.dir, "bench-tracker-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	root := filepath.Join(dir, "notes")
	if err := os.Mkdir(root, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(root, ".obbywatch"), []byte("*.md\n"), 0o644); err != nil {
		return nil, err
	}
	var last string
	compared := make(chan struct{}) // closed when the tracker has looked at the empty folder
	process, err := stack.StartProcess(ctx, filepath.Join(o.bin, stack.Tracker), stack.Tracker,
		[]string{"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--database", filepath.Join(dir, "bench.db"), "--root", root},
		func(_, line string) {
			if last = line; strings.Contains(line, "root compared with the disk") {
				close(compared)
			}
		})
	if err != nil {
		return nil, fmt.Errorf("%w; its last word: %s", err, last)
	}
	defer process.Kill()
	select {
	case <-compared:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	conn, err := grpc.NewClient(process.Addr["grpc"], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	b := &bench{client: trackerv1.NewContentTrackerServiceClient(conn), pid: process.PID(), root: root, files: o.files}
	return b.run(ctx)
}
