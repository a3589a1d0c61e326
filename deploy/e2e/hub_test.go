package e2e

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/obby/go-services/deploy/run/stack"
	ssev1 "github.com/obby/go-services/proto/gen/obby/sse/v1"
)

// hubWorld is a hub alone, that is killed and stopped while all publish and read.
type hubWorld struct {
	*stack.Process
	history string
}

func startHub(t *testing.T, args ...string) *hubWorld {
	t.Helper()
	h := &hubWorld{history: filepath.Join(t.TempDir(), "history")}
	log := &logBook{}
	var err error
	h.Process, err = stack.StartProcess(t.Context(), filepath.Join(binaries(t), stack.Hub), stack.Hub, append([]string{
		"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--http", "127.0.0.1:0", "--history-dir", h.history,
	}, args...), log.line)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Kill(); log.check(t) })
	return h
}

// publishUntil publishes numbered events, each until it is acknowledged, and
// returns their ids in the order of the numbers.
func (h *hubWorld) publishUntil(t *testing.T, done <-chan struct{}, publisher int) (ids []string) {
	conn, err := grpc.NewClient(h.Addr["grpc"], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Error(err)
		return nil
	}
	defer conn.Close()
	client := ssev1.NewSSEHubServiceClient(conn)
	for n := 0; ; n++ {
		select {
		case <-done:
			return ids
		default:
		}
		request := &ssev1.PublishRequest{
			Topic: "t." + strconv.Itoa(publisher), Data: fmt.Appendf(nil, "%d %d %s", publisher, n, strings.Repeat("x", rand.IntN(400))),
			IdempotencyKey: fmt.Sprint(publisher, "/", n),
		}
		for {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			resp, err := client.Publish(ctx, request, grpc.WaitForReady(true))
			cancel()
			if err == nil {
				ids = append(ids, resp.EventId)
				break
			}
			if code := status.Code(err); code != codes.Unavailable && code != codes.DeadlineExceeded {
				t.Errorf("publish: %v", err)
				return ids
			}
		}
	}
}

// follower is a browser: it comes back with its last id, whatever happens.
type follower struct {
	ids    []string
	data   []string
	resets int
	visits int
	lastID string
	opened chan struct{} // closed with its first id
}

// follow reads until an event's data is last; now and then it leaves, or stops
// reading for a while.
func (f *follower) follow(ctx context.Context, addr, last string) {
	for ctx.Err() == nil && !f.visit(ctx, addr, last) {
	}
}

func (f *follower) visit(ctx context.Context, addr, last string) (done bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/events?topic=t.*&topic=t.%3E", nil)
	if err != nil {
		panic(err) // the url is ours
	}
	if f.lastID != "" {
		req.Header.Set("Last-Event-ID", f.lastID)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false // the hub is down: again
	}
	defer resp.Body.Close()
	f.visits++
	var event, data, id string
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		switch field, value, _ := strings.Cut(lines.Text(), ": "); {
		case field == "event":
			event = value
		case field == "data":
			data = value
		case field == "id":
			id = value
		case lines.Text() == "":
			if id != "" {
				if f.lastID == "" {
					close(f.opened)
				}
				f.lastID = id
			}
			if event == "reset" {
				f.resets++
			} else if data != "" {
				f.ids, f.data = append(f.ids, id), append(f.data, data)
				if data == last {
					return true
				}
			}
			event, data, id = "", "", ""
			if rand.IntN(3000) == 0 {
				return false
			}
		}
	}
	return false
}

// Cases 40, 44, 49, 55, 64, 65 and 66: while the hub is killed with -9 and stopped,
// again and again, and clients stall, whoever comes back has every acknowledged
// publication once and in one order, and no publication is there twice.
func TestHubLosesNothing(t *testing.T) {
	for _, sink := range []string{"auto", "net-http"} {
		t.Run(sink, func(t *testing.T) {
			loseNothing(t, startHub(t, "--sink", sink, "--history-memory", "64KiB", "--history-events", "1000000"))
		})
	}
}

func loseNothing(t *testing.T, h *hubWorld) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*waitLimit)
	defer cancel()
	const last = "the end"
	var reading, publishing sync.WaitGroup
	followers := h.startFollowers(ctx, t, last, &reading)
	stalled := h.stall(t)
	done := make(chan struct{})
	ids := make([][]string, 4)
	for p := range ids {
		publishing.Go(func() { ids[p] = h.publishUntil(t, done, p) })
	}
	addr := h.Addr["grpc"]
	for round := range 8 {
		h.awaitPublications(t, 300)
		if round%3 == 2 {
			if err := h.Stop(ctx); err != nil {
				t.Errorf("case 64: the stop ended with %v", err)
			}
		} else {
			h.Kill()
		}
		if err := h.Restart(ctx); err != nil {
			t.Fatal(err)
		}
	}
	h.awaitPublications(t, 300)
	close(done)
	publishing.Wait()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := ssev1.NewSSEHubServiceClient(conn).Publish(ctx, &ssev1.PublishRequest{Topic: "t.end", Data: []byte(last)}); err != nil {
		t.Fatal(err)
	}
	reading.Wait()
	stalled.Close()
	judge(t, followers, ids)
}

// startFollowers returns when every follower has its first id. A stream that is
// asked for without an id begins with what is published after it, so that one that
// came later would rightly lack the events before.
func (h *hubWorld) startFollowers(ctx context.Context, t *testing.T, last string, reading *sync.WaitGroup) []*follower {
	t.Helper()
	followers := make([]*follower, 8)
	for i := range followers {
		followers[i] = &follower{opened: make(chan struct{})}
		reading.Go(func() { followers[i].follow(ctx, h.Addr["http"], last) })
	}
	for i, f := range followers {
		select {
		case <-f.opened:
		case <-ctx.Done():
			t.Fatalf("follower %d has no stream", i)
		}
	}
	return followers
}

// stall opens a stream and never reads it.
func (h *hubWorld) stall(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", h.Addr["http"])
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /events?topic=t.*&last=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
	return conn
}

// awaitPublications waits until this process of the hub has published some.
func (h *hubWorld) awaitPublications(t *testing.T, n int) {
	t.Helper()
	eventually(t, "publications go on", func() bool {
		resp, err := http.Get("http://" + h.Addr["admin"] + "/metrics")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if text, ok := strings.CutPrefix(lines.Text(), "obby_hub_published_events_total "); ok {
				published, err := strconv.ParseFloat(text, 64)
				return err == nil && int(published) >= n
			}
		}
		return false
	})
}

// judge counts gaps and duplicates.
func judge(t *testing.T, followers []*follower, ids [][]string) {
	t.Helper()
	total, visits := 0, 0
	for p := range ids {
		total += len(ids[p])
	}
	reference := followers[0]
	for i, f := range followers {
		visits += f.visits
		gaps, duplicates := 0, 0
		at := make([]int, len(ids)) // the number that each publisher's next event has
		for j, data := range f.data[:max(0, len(f.data)-1)] {
			var p, n int
			if _, err := fmt.Sscan(data, &p, &n); err != nil {
				t.Fatalf("event %q: %v", data, err)
			}
			switch {
			case n < at[p]:
				duplicates++
				continue
			case n > at[p]:
				gaps++
			}
			if n < len(ids[p]) && ids[p][n] != f.ids[j] {
				t.Errorf("event %d of publisher %d has id %s, acknowledged was %s", n, p, f.ids[j], ids[p][n])
			}
			at[p] = n + 1
		}
		if gaps+duplicates+f.resets > 0 || len(f.data) != total+1 {
			t.Errorf("follower %d: %d events of %d, %d gaps, %d duplicates, %d resets", i, len(f.data)-1, total, gaps, duplicates, f.resets)
		}
		if strings.Join(f.ids, " ") != strings.Join(reference.ids, " ") {
			t.Errorf("follower %d saw another order than follower 0", i)
		}
	}
	t.Logf("%d publications to each of %d followers in %d visits", total, len(followers), visits)
}
