package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/obby/go-services/deploy/bench/measure"
)

// load is what callers got who each asked again as soon as they had an answer.
type load struct {
	Callers   int             `json:"callers,omitempty"`
	PerSecond float64         `json:"per_second,omitempty"`
	Times     *measure.Times  `json:"times,omitempty"`
	CPUMicros float64         `json:"service_cpu_us_of_a_call,omitempty"` // says more than the rate while others use the machine
	Bytes     int             `json:"bytes_of_an_answer,omitempty"`
	Messages  int             `json:"messages_of_an_answer,omitempty"`
	Rate      *measure.Figure `json:"rate,omitempty"`
	Tail      *measure.Figure `json:"p99,omitempty"`
	// Missing is what the service said that does not answer such a call.
	Missing string `json:"not_answered,omitempty"`
}

// raw leaves messages as they are: encoding and decoding them is a part of the
// generator that would take from the service what is measured.
type raw struct{}

func (raw) Name() string { return "proto" }

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*int) = data.Len()
	return nil
}

// dial returns a connection for raw messages. One is enough: the service's work for
// a call costs far more than sharing it.
func dial(addr string) (*grpc.ClientConn, error) {
	return grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(raw{}), grpc.MaxCallRecvMsgSize(16<<20)))
}

// target is a query-service.
type target struct {
	conn *grpc.ClientConn
	http string // its URL
	pid  int
}

// caller is one of several that ask at once.
type caller struct {
	target
	scenario        scenario
	requests        [][]byte
	took            []time.Duration
	bytes, messages int
	err             error
}

// press has the scenario's callers ask for some time, after a while to warm up.
func press(ctx context.Context, to target, s scenario, lasts time.Duration) (load, error) {
	var requests [][]byte
	for _, request := range s.requests {
		encoded, err := proto.Marshal(request)
		if err != nil {
			return load{}, err
		}
		requests = append(requests, encoded)
	}
	first := &caller{target: to, scenario: s, requests: requests}
	switch first.ask(ctx, 0); {
	case status.Code(first.err) == codes.Unimplemented:
		return load{Missing: status.Convert(first.err).Message()}, nil
	case first.err != nil:
		return load{}, first.err
	}
	if _, _, err := together(ctx, to, s, requests, lasts/4); err != nil {
		return load{}, err
	}
	before, err := measure.Of(to.pid)
	if err != nil {
		return load{}, err
	}
	callers, took, err := together(ctx, to, s, requests, lasts)
	if err != nil {
		return load{}, err
	}
	after, err := measure.Of(to.pid)
	l := s.sum(callers, took)
	l.CPUMicros = float64((after.CPU - before.CPU).Microseconds()) / float64(l.Times.Count)
	return l, err
}

func together(ctx context.Context, to target, s scenario, requests [][]byte, lasts time.Duration) ([]*caller, time.Duration, error) {
	callers := make([]*caller, s.callers)
	var all sync.WaitGroup
	start := time.Now()
	for i := range callers {
		c := &caller{target: to, scenario: s, requests: requests}
		callers[i] = c
		all.Go(func() {
			for n := i * len(requests) / len(callers); c.err == nil && time.Since(start) < lasts; n++ {
				c.ask(ctx, n)
			}
		})
	}
	all.Wait()
	took := time.Since(start)
	var errs []error
	for _, c := range callers {
		errs = append(errs, c.err)
	}
	return callers, took, errors.Join(errs...)
}

// ask makes one call and reads its answer to the end.
func (c *caller) ask(ctx context.Context, n int) {
	request := c.requests[n%len(c.requests)]
	start := time.Now()
	var err error
	switch {
	case c.scenario.path != "":
		err = c.get(ctx)
	case c.scenario.stream:
		err = c.stream(ctx, request)
	default:
		var size int
		err = c.conn.Invoke(ctx, service+c.scenario.method, request, &size)
		c.bytes, c.messages = c.bytes+size, c.messages+1
	}
	c.took = append(c.took, time.Since(start))
	if err != nil {
		c.err = fmt.Errorf("%s: %w", c.scenario.name, err)
	}
}

// get makes the scenario's call over HTTP.
func (c *caller) get(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.http+c.scenario.path, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	c.bytes, c.messages = c.bytes+int(n), c.messages+1
	return err
}

// client keeps a connection for each caller.
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: many, DisableCompression: true}}

func (c *caller) stream(ctx context.Context, request []byte) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, service+c.scenario.method)
	if err != nil {
		return err
	}
	if err := errors.Join(stream.SendMsg(request), stream.CloseSend()); err != nil {
		return err
	}
	for {
		var size int
		if err := stream.RecvMsg(&size); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		c.bytes, c.messages = c.bytes+size, c.messages+1
	}
}

func (s scenario) sum(callers []*caller, took time.Duration) load {
	var times []time.Duration
	var bytes, messages int
	for _, c := range callers {
		times = slices.Concat(times, c.took)
		bytes, messages = bytes+c.bytes, messages+c.messages
	}
	sum := measure.Sum(times)
	l := load{
		Callers: len(callers), PerSecond: float64(len(times)) / took.Seconds(), Times: &sum,
		Bytes: bytes / len(times), Messages: messages / len(times),
	}
	if s.perSecond > 0 {
		figure := measure.AtLeast(l.PerSecond, s.perSecond)
		l.Rate = &figure
	}
	if s.p99 > 0 {
		figure := measure.AtMost(sum.P99, s.p99)
		l.Tail = &figure
	}
	return l
}
