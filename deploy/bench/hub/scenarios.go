package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/obby/go-services/deploy/bench/measure"
)

const (
	tenth     = 100 * time.Millisecond
	dataBytes = 200 // of an event's data
	settled   = 200 * time.Millisecond
)

// scenarios are what is measured, each with a hub of its own.
var scenarios = []struct {
	name string
	run  func(*bench, context.Context, *figures) error
}{
	{"memory", (*bench).memory}, {"connects", (*bench).connects}, {"fan-out", (*bench).fanOut},
	{"small", (*bench).small}, {"stalled", (*bench).stalled}, {"burst", (*bench).burst},
}

func same(topic string) func(int) string { return func(int) string { return topic } }

// measured connects clients of one topic, publishes steadily and sums up.
func (b *bench) measured(ctx context.Context, topic string, n int, every time.Duration, size int, change func(*swarm)) (delivery, error) {
	s, err := newSwarm(b.Addr["http"], n, same(topic))
	if err != nil {
		return delivery{}, err
	}
	if change != nil {
		change(s)
	}
	if _, err := s.connect(); err != nil {
		return delivery{}, errors.Join(err, s.close())
	}
	time.Sleep(settled)
	before, ownBefore, err := b.usage()
	if err != nil {
		return delivery{}, err
	}
	p, err := newPublisher(b.Addr["grpc"], s.start, size)
	if err != nil {
		return delivery{}, err
	}
	defer p.conn.Close()
	count := b.load(every)
	err = p.steadily(ctx, topic, count, every)
	readers := n
	for _, w := range s.crews {
		readers -= len(w.stalled)
	}
	if err == nil {
		err = s.until("all have everything", func() bool { return s.seen.Load() >= int64(readers)*int64(count) })
	}
	after, own, usageErr := b.usage()
	if err := errors.Join(err, s.close(), usageErr); err != nil {
		return delivery{}, err
	}
	d := deliver(s, p, readers)
	d.OwnCPU = (own.CPU - ownBefore.CPU).Seconds()
	d.HubCPU = (after.CPU - before.CPU).Seconds()
	return d, nil
}

// usage is that of the hub and of the generator.
func (b *bench) usage() (hub, own measure.Usage, err error) {
	if hub, err = measure.Of(b.PID()); err == nil {
		own, err = measure.Of(os.Getpid())
	}
	return hub, own, err
}

func (b *bench) fanOut(ctx context.Context, f *figures) error {
	d, err := b.measured(ctx, "all", b.clients, tenth, dataBytes, nil)
	d.Target = "10,000 clients: p50 40 ms, p99 90 ms to the last client, none lost"
	f.FanOut = &d
	return err
}

func (b *bench) small(ctx context.Context, f *figures) error {
	others, err := newSwarm(b.Addr["http"], b.clients-1000, same("all"))
	if err != nil {
		return err
	}
	if _, err := others.connect(); err != nil {
		return errors.Join(err, others.close())
	}
	f.Small = &small{ConnectedBeside: b.clients - 1000}
	quick := 20 * time.Millisecond
	f.Small.Hundred, err = b.measured(ctx, "hundred", 100, quick, dataBytes, nil)
	f.Small.Hundred.Target = "p99 5 ms"
	if err == nil {
		f.Small.Thousand, err = b.measured(ctx, "thousand", 1000, quick, dataBytes, nil)
		f.Small.Thousand.Target = "p99 12 ms"
	}
	if err != nil {
		return errors.Join(err, others.close())
	}
	noise, err := newPublisher(b.Addr["grpc"], others.start, dataBytes)
	if err != nil {
		return err
	}
	defer noise.conn.Close()
	noisy := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	go func() { // ends by cancel
		defer close(noisy)
		_ = noise.steadily(ctx, "all", 1<<20, tenth)
	}()
	f.Small.HundredFanOut, err = b.measured(ctx, "hundred", 100, quick, dataBytes, nil)
	if err == nil {
		f.Small.ThousandFanOut, err = b.measured(ctx, "thousand", 1000, quick, dataBytes, nil)
	}
	cancel()
	<-noisy
	return errors.Join(err, others.close())
}

func (b *bench) stalled(ctx context.Context, f *figures) error {
	f.Stalled = &stalled{Target: "less than 10 %"}
	var sums [2]float64
	for range 3 { // in turn: what else the machine does is spread over both
		for i := range sums {
			d, err := b.measured(ctx, "t", 1000, 50*time.Millisecond, 8<<10, func(s *swarm) {
				if i == 1 {
					s.crews[0].stalled[s.crews[0].clients[0]] = true
				}
			})
			if err != nil {
				return err
			}
			if sums[i] += d.Each.P99; i == 0 {
				f.Stalled.Without = append(f.Stalled.Without, d.Each)
			} else {
				f.Stalled.With = append(f.Stalled.With, d.Each)
			}
		}
	}
	f.Stalled.Change = 100 * (sums[1]/sums[0] - 1)
	return nil
}

func (b *bench) burst(ctx context.Context, f *figures) error {
	const n, receivers = 1000, 1000
	s, err := newSwarm(b.Addr["http"], receivers, same("burst"))
	if err != nil {
		return err
	}
	if _, err := s.connect(); err != nil {
		return errors.Join(err, s.close())
	}
	p, err := newPublisher(b.Addr["grpc"], s.start, dataBytes)
	if err != nil {
		return err
	}
	defer p.conn.Close()
	begin := time.Now()
	err = p.atOnce(ctx, "burst", n, 64)
	if err == nil {
		err = s.until("all have everything", func() bool { return s.seen.Load() >= n*receivers })
	}
	took := time.Since(begin).Seconds()
	if err := errors.Join(err, s.close()); err != nil {
		return err
	}
	f.Burst = &burst{deliver(s, p, receivers), took, n * receivers / took}
	f.Burst.Target = "200,000 deliveries a second, in order, none lost"
	return nil
}

func (b *bench) connects(ctx context.Context, f *figures) error {
	files, err := b.files()
	if err != nil {
		return err
	}
	s, err := newSwarm(b.Addr["http"], b.clients, same("all"))
	if err != nil {
		return err
	}
	took, err := s.connect()
	if err != nil {
		return errors.Join(err, s.close())
	}
	p, err := newPublisher(b.Addr["grpc"], s.start, dataBytes)
	if err != nil {
		return err
	}
	defer p.conn.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	published := make(chan struct{})
	go func() { // ends by cancel
		defer close(published)
		_ = p.steadily(ctx, "other", 1<<20, 5*time.Millisecond)
	}()
	time.Sleep(settled)
	begin := time.Now()
	if err := s.close(); err != nil { // all sockets are reset
		return err
	}
	gone, after, err := b.untilGone(begin, files)
	cancel()
	<-published
	f.Connects = &connects{
		Clients: b.clients, Seconds: took.Seconds(), Gone: gone.Seconds(), FilesBefore: files, FilesAfter: after,
		Publish: measure.Sum(p.took), TargetSeconds: "connected in 2 s, gone in 5 s, Publish never above 50 ms",
	}
	return err
}

// untilGone waits until the hub has no subscriber and no more files open than
// before, but for those of the publisher.
func (b *bench) untilGone(begin time.Time, before int) (time.Duration, int, error) {
	for {
		subscribers, err := b.metric("obby_hub_subscribers")
		if err != nil {
			return 0, 0, err
		}
		files, err := b.files()
		if err != nil {
			return 0, 0, err
		}
		if took := time.Since(begin); subscribers == 0 && files <= before+2 {
			return took, files, nil
		} else if took > patience {
			return 0, 0, fmt.Errorf("after %v there are %v subscribers and %d files, %d before", patience, subscribers, files, before)
		}
	}
}

func (b *bench) memory(_ context.Context, f *figures) error {
	time.Sleep(time.Second) // what the start has used is settled
	rest, err := measure.Of(b.PID())
	if err != nil {
		return err
	}
	s, err := newSwarm(b.Addr["http"], b.idle, same("all"))
	if err != nil {
		return err
	}
	if _, err := s.connect(); err != nil {
		return errors.Join(err, s.close())
	}
	time.Sleep(5 * time.Second)
	before, err := measure.Of(b.PID())
	if err != nil {
		return err
	}
	time.Sleep(15 * time.Second) // a heartbeat of each
	idle, err := measure.Of(b.PID())
	if err := errors.Join(err, s.close()); err != nil {
		return err
	}
	f.Memory = &memory{
		RestMiB: mib(rest.RSS), RestAnonMiB: mib(rest.Anon), IdleClients: b.idle, ConnectedMiB: mib(idle.RSS),
		PerClientKiB: float64(idle.RSS-rest.RSS) / float64(b.idle) / 1024, CPUPerSecond: 100 * (idle.CPU - before.CPU).Seconds() / 15,
		TargetPerEach: "at rest 15 MiB; 8 KiB for each of 19,000 clients",
	}
	return nil
}

func mib(bytes int64) float64 { return float64(bytes>>10) / 1024 }

// files counts the hub's open files.
func (b *bench) files() (int, error) {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", b.PID()))
	return len(entries), err
}

// metric returns one of the hub's metrics.
func (b *bench) metric(name string) (float64, error) {
	resp, err := http.Get("http://" + b.Addr["admin"] + "/metrics")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	match := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(text)
	if match == nil {
		return 0, fmt.Errorf("there is no metric %s", name)
	}
	return strconv.ParseFloat(string(match[1]), 64)
}
