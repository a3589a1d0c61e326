// Package remote is what the tracker calls: it follows the file-watcher's events
// and publishes the outbox to the sse-hub. Either being down is ordinary: the loss
// and the return are one log line each, and nothing is lost meanwhile.
package remote

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// Waits between two tries to reach a service: doubled from the first up to the
// last. A service that restarts is met soon, one that is gone costs little.
const (
	firstWait = 50 * time.Millisecond
	lastWait  = 2 * time.Second
)

// Dial returns a connection to a service of ours; it connects when it is used.
func Dial(addr string, maxMessage int, more ...grpc.DialOption) (*grpc.ClientConn, error) {
	return grpc.NewClient(addr, append(more,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second, PermitWithoutStream: true}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)))...)
}

// link tells, once each, that a service was lost and that it is back.
type link struct {
	name string
	log  *slog.Logger
	wait time.Duration // before the next try; 0: the service answers
}

// lost logs the first failure of a row and waits before the next try.
func (l *link) lost(ctx context.Context, err error) {
	if l.wait == 0 {
		l.wait = firstWait
		l.log.Warn("service does not answer, trying again", "service", l.name, "err", err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(l.wait):
	}
	l.wait = min(2*l.wait, lastWait)
}

// found logs that the service answers again.
func (l *link) found() {
	if l.wait != 0 {
		l.wait = 0
		l.log.Info("service answers again", "service", l.name)
	}
}
