package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	ssev1 "github.com/obby/go-services/proto/gen/obby/sse/v1"
)

// publisher publishes numbered events.
type publisher struct {
	conn   *grpc.ClientConn
	client ssev1.SSEHubServiceClient
	start  time.Time // what times in events count from
	size   int       // bytes of data
	name   string    // of this one, in its keys

	mu     sync.Mutex // guards what follows
	number int64
	took   []time.Duration // of each call
}

func newPublisher(addr string, start time.Time, size int) (*publisher, error) {
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	return &publisher{conn: conn, client: ssev1.NewSSEHubServiceClient(conn), start: start, size: size, name: rand.Text()}, nil
}

// next returns the next event to publish.
func (p *publisher) next(topic string) *ssev1.PublishRequest {
	p.mu.Lock()
	p.number++
	number := p.number
	p.mu.Unlock()
	data := fmt.Sprintf("%d %d ", number, time.Since(p.start).Nanoseconds())
	data += strings.Repeat("x", max(0, p.size-len(data)))
	return &ssev1.PublishRequest{Topic: topic, Data: []byte(data), IdempotencyKey: fmt.Sprint(p.name, "/", number)}
}

// publish publishes one event.
func (p *publisher) publish(ctx context.Context, topic string) error {
	begin := time.Since(p.start)
	if _, err := p.client.Publish(ctx, p.next(topic)); err != nil {
		return err
	}
	p.mu.Lock()
	p.took = append(p.took, time.Since(p.start)-begin)
	p.mu.Unlock()
	return nil
}

// steadily publishes n events at even distances, whatever each takes.
func (p *publisher) steadily(ctx context.Context, topic string, n int, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	errs := make(chan error, n)
	for range n {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		go func() { // ends with the call
			errs <- p.publish(ctx, topic)
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

// atOnce publishes n events from several callers, each back to back.
func (p *publisher) atOnce(ctx context.Context, topic string, n, callers int) error {
	errs := make(chan error, callers)
	for i := range callers {
		go func() { // ends with its share
			for range (n + i) / callers {
				if err := p.publish(ctx, topic); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range callers {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}
