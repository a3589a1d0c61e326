package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/obby/go-services/deploy/bench/measure"
	"github.com/obby/go-services/deploy/run/stack"
	trackerv1 "github.com/obby/go-services/proto/gen/obby/tracker/v1"
)

// service is a tracker of a folder of its own.
type service struct {
	client  trackerv1.ContentTrackerServiceClient
	root    string
	dir     string
	conn    *grpc.ClientConn
	process *stack.Process
}

// service starts a tracker of an empty folder and waits until it has looked at it.
func (b *bench) service(ctx context.Context) (*service, error) {
	dir, err := os.MkdirTemp(b.dir, "")
	if err != nil {
		return nil, err
	}
	s := &service{dir: dir, root: filepath.Join(dir, "notes")}
	if err := os.Mkdir(s.root, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(s.root, ".obbywatch"), []byte("*.md\n"), 0o644); err != nil {
		return nil, err
	}
	var last string
	compared := make(chan struct{})
	s.process, err = stack.StartProcess(ctx, filepath.Join(b.bin, stack.Tracker), stack.Tracker,
		[]string{"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--database", filepath.Join(dir, "bench.db"), "--root", s.root},
		func(_, line string) {
			if last = line; strings.Contains(line, "root compared with the disk") {
				close(compared)
			}
		})
	if err != nil {
		return nil, fmt.Errorf("%w; its last word: %s", err, last)
	}
	select {
	case <-compared:
	case <-ctx.Done():
		s.process.Kill()
		return nil, ctx.Err()
	}
	if s.conn, err = grpc.NewClient(s.process.Addr["grpc"], grpc.WithTransportCredentials(insecure.NewCredentials())); err != nil {
		s.process.Kill()
		return nil, err
	}
	s.client = trackerv1.NewContentTrackerServiceClient(s.conn)
	_, err = s.settle(ctx)
	return s, err
}

func (s *service) close() {
	s.conn.Close()
	s.process.Kill()
	os.RemoveAll(s.dir)
}

func (s *service) pid() int { return s.process.PID() }

// settle waits until the tracker is at rest, its search index complete, and
// returns after how long it was.
func (s *service) settle(ctx context.Context) (time.Duration, error) {
	return measure.Rest(ctx, s.pid())
}

func (s *service) batch(ctx context.Context, paths []string) error {
	request := &trackerv1.TrackBatchRequest{}
	for _, path := range paths {
		request.Items = append(request.Items, &trackerv1.TrackChangeRequest{Path: path})
	}
	stream, err := s.client.TrackBatch(ctx, request)
	if err != nil {
		return err
	}
	for answered := 0; ; answered++ {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) && answered == len(paths) {
			return nil
		}
		if err != nil {
			return err
		}
		if answer.GetStatus().GetCode() != 0 || answer.GetResult().GetChangeId() == 0 {
			return fmt.Errorf("%s was not recorded: %v", paths[answer.GetIndex()], answer)
		}
	}
}

func (s *service) reconcile(ctx context.Context) error {
	stream, err := s.client.Reconcile(ctx, &trackerv1.ReconcileRequest{})
	if err != nil {
		return err
	}
	for {
		if _, err := stream.Recv(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
