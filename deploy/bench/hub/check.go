package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// checked is what a check has counted.
type checked struct {
	Clients      int    `json:"clients"`
	Stalled      int    `json:"clients_that_stopped_reading"`
	Kills        int    `json:"kills"`
	Stops        int    `json:"orderly_stops"`
	Publications int64  `json:"acknowledged_publications"`
	Repeated     int64  `json:"publications_repeated_after_a_failure"`
	Deliveries   int64  `json:"deliveries"`
	Connects     int64  `json:"connects"`
	Missing      int64  `json:"missing"`
	Duplicates   int64  `json:"duplicates"`
	Resets       int64  `json:"resets"`
	Target       string `json:"target"`
}

const (
	checkClients = 500
	checkStalled = 20
	checkRounds  = 12
)

// check publishes from several callers while the hub is killed and stopped, and
// counts what each client has.
func check(ctx context.Context, o options) (any, error) {
	b, err := start(ctx, o, "auto")
	if err != nil {
		return nil, err
	}
	defer b.stop()
	s, err := newSwarm(b.Addr["http"], checkClients, same("t"))
	if err != nil {
		return nil, err
	}
	for _, w := range s.crews {
		w.again = true
		for _, c := range w.clients[:checkStalled/crews] {
			w.stalled[c] = true
		}
	}
	if _, err := s.connect(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	result := &checked{Clients: checkClients, Stalled: checkStalled, Target: "missing 0, duplicates 0, resets 0"}
	p, err := newPublisher(b.Addr["grpc"], s.start, dataBytes)
	if err != nil {
		return nil, err
	}
	defer p.conn.Close()
	err = b.disturb(ctx, p, result)
	if err == nil {
		_ = s.until("all have everything", func() bool { return s.seen.Load() >= result.Publications*checkClients }) // what is missing is counted
	}
	time.Sleep(settled) // for what is too much
	if err := errors.Join(err, s.close()); err != nil {
		return nil, err
	}
	sum := s.total()
	result.Deliveries, result.Connects, result.Duplicates, result.Resets = sum.events, sum.connects, sum.duplicates, sum.resets
	result.Missing = result.Publications*checkClients - sum.events
	return result, nil
}

// disturb kills and stops the hub while others publish.
func (b *bench) disturb(ctx context.Context, p *publisher, result *checked) error {
	var all sync.WaitGroup
	done := make(chan struct{})
	errs := make(chan error, 8)
	for range cap(errs) {
		all.Go(func() { errs <- p.stubbornly(ctx, "t", done, result) })
	}
	var err error
	for round := 0; round < checkRounds && err == nil; round++ {
		time.Sleep(time.Second)
		if round%4 == 3 {
			result.Stops++
			_ = b.Stop(ctx) // how it ended is not what is counted
		} else {
			result.Kills++
			b.Kill()
		}
		err = b.Restart(ctx)
	}
	time.Sleep(time.Second)
	close(done)
	all.Wait()
	for range cap(errs) {
		err = errors.Join(err, <-errs)
	}
	return err
}

// stubbornly publishes until done, each event until it is acknowledged.
func (p *publisher) stubbornly(ctx context.Context, topic string, done <-chan struct{}, result *checked) error {
	for {
		select {
		case <-done:
			return nil
		default:
		}
		request := p.next(topic)
		for {
			callCtx, cancel := context.WithTimeout(ctx, 5*time.Second)
			_, err := p.client.Publish(callCtx, request, grpc.WaitForReady(true))
			cancel()
			p.mu.Lock()
			if err == nil {
				result.Publications++
			} else {
				result.Repeated++
			}
			p.mu.Unlock()
			if err == nil {
				break
			}
			if code := status.Code(err); code != codes.Unavailable && code != codes.DeadlineExceeded || ctx.Err() != nil {
				return err
			}
		}
	}
}
