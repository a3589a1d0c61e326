package remote

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/obby/go-services/content-tracker/internal/store"
	"github.com/obby/go-services/internal/rawpath"
	ssev1 "github.com/obby/go-services/proto/gen/obby/sse/v1"
)

const (
	// Topic is where every change is published.
	Topic = "changes"
	// maxDiff bounds the diff in an event: what is cut is in the database.
	maxDiff = 64 << 10
	// ackBatch is how many acknowledged changes one transaction removes.
	ackBatch = 100
	// publishTimeout bounds one call, so that a hub that hangs counts as lost.
	publishTimeout = 10 * time.Second
)

// Hub publishes the outbox.
type Hub struct {
	client  ssev1.SSEHubServiceClient
	store   *store.Store
	roots   []string
	log     *slog.Logger
	link    link
	refused prometheus.Counter
}

// NewHub returns the publisher of the outbox of a store.
func NewHub(conn grpc.ClientConnInterface, s *store.Store, roots []string, log *slog.Logger, metrics prometheus.Registerer) *Hub {
	h := &Hub{client: ssev1.NewSSEHubServiceClient(conn), store: s, roots: roots, log: log, link: link{name: "hub", log: log}}
	h.refused = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "obby_tracker_refused_publications_total", Help: "Changes that the hub refused for good; the log names them."})
	metrics.MustRegister(h.refused)
	return h
}

// Run publishes changes in their order until ctx ends. A change leaves the outbox
// after the hub has acknowledged it; a repetition after a failure carries the same
// idempotency key.
func (h *Hub) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := h.drain(ctx); err != nil && ctx.Err() == nil {
			h.link.lost(ctx, err)
			continue
		}
		select {
		case <-ctx.Done():
		case <-h.store.Wake():
		}
	}
	return nil
}

// drain publishes what is pending.
func (h *Hub) drain(ctx context.Context) error {
	var last, done int64
	for n := 1; ; n++ {
		pending, ok, err := h.store.Next(ctx, last)
		if err == nil && ok {
			err = h.publish(ctx, pending.Change)
		}
		if err == nil && ok {
			last = pending.ID
		}
		if last > done && (!ok || err != nil || n%ackBatch == 0) {
			if err := h.store.Done(ctx, last); err != nil {
				return err
			}
			done = last
		}
		if err != nil || !ok {
			return err
		}
	}
}

// publish returns an error that another try may mend. What the hub refuses for
// good must not hold up what comes after it.
func (h *Hub) publish(ctx context.Context, c store.Change) error {
	data, err := json.Marshal(h.event(c))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	_, err = h.client.Publish(ctx, &ssev1.PublishRequest{
		Topic: Topic, EventType: string(c.Type), Data: data,
		IdempotencyKey: h.key(c),
	})
	switch status.Code(err) {
	case codes.InvalidArgument, codes.ResourceExhausted:
		h.refused.Inc()
		h.log.Error("hub refused a change, which is skipped", "change", c.ChangeID, "path", c.Path, "err", err)
		err = nil
	}
	if err == nil {
		h.link.found()
	}
	return err
}

// key is the idempotency key of a change: <database id>/<change id>/<time>, the time
// in microseconds since the Unix epoch, 0 where it cannot be read. A database that was
// restored from an older copy gives ids again: the time tells such a step from a
// repetition. The Python side publishes the same step under the same key.
func (h *Hub) key(c store.Change) string {
	var observed int64
	if !c.Observed.IsZero() {
		observed = c.Observed.UnixMicro()
	}
	return fmt.Sprintf("%s/%d/%d", h.store.DatabaseID(), c.ChangeID, observed)
}

// event is the JSON form of a change: docs/events.md says what it means.
type event struct {
	DatabaseID   string  `json:"database_id"`
	ChangeID     string  `json:"change_id"`
	ChangeType   string  `json:"change_type"`
	Path         string  `json:"path"`
	RawPath      string  `json:"raw_path,omitempty"`
	OldPath      string  `json:"old_path"`
	Root         string  `json:"root"`
	VersionID    *string `json:"version_id"`
	OldVersionID *string `json:"old_version_id"`
	ContentHash  *string `json:"content_hash"`
	LineCount    int64   `json:"line_count"`
	LinesAdded   int64   `json:"lines_added"`
	LinesRemoved int64   `json:"lines_removed"`
	Diff         string  `json:"diff"`
	Truncated    bool    `json:"truncated"`
	ObserveTime  string  `json:"observe_time"`
}

func (h *Hub) event(c store.Change) event {
	path, raw := rawpath.Split(c.Path)
	oldPath, _ := rawpath.Split(c.OldPath)
	e := event{
		DatabaseID: h.store.DatabaseID(), ChangeID: strconv.FormatInt(c.ChangeID, 10), ChangeType: string(c.Type), Path: path, OldPath: oldPath, Root: h.rootOf(c.Path),
		OldVersionID: idText(c.OldVersion), LinesAdded: c.Diff.Added, LinesRemoved: c.Diff.Removed,
		ObserveTime: c.Observed.UTC().Format("2006-01-02T15:04:05.000000Z"),
	}
	if raw != nil {
		e.RawPath = base64.StdEncoding.EncodeToString(raw)
	}
	if c.Version != nil {
		hash := string(c.Version.Hash)
		e.VersionID, e.ContentHash, e.LineCount = idText(c.Version.ID), &hash, c.Version.LineCount
	}
	e.Diff, e.Truncated = cut(c.Diff.Text)
	e.Truncated = e.Truncated || c.Diff.Truncated
	return e
}

// rootOf returns the innermost root that holds the path.
func (h *Hub) rootOf(path string) string {
	best := ""
	for _, root := range h.roots {
		if len(root) > len(best) && strings.HasPrefix(path, strings.TrimSuffix(root, "/")+"/") {
			best = root
		}
	}
	best, _ = rawpath.Split(best)
	return best
}

func idText(id int64) *string {
	if id == 0 {
		return nil
	}
	text := strconv.FormatInt(id, 10)
	return &text
}

// cut shortens a diff at the end of a line.
func cut(diff string) (string, bool) {
	if len(diff) <= maxDiff {
		return diff, false
	}
	return diff[:strings.LastIndexByte(diff[:maxDiff], '\n')+1], true
}
