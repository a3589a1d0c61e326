package rpc

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/obby/go-services/content-tracker/internal/store"
	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/service"
	trackerv1 "github.com/obby/go-services/proto/gen/obby/tracker/v1"
)

// What waits for a caller who does not read is bounded: with answers of 40 MiB not
// taken, there is no room to track another 40 MiB.
func TestUnread(t *testing.T) {
	root := t.TempDir()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "obby.db"), false, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tracker := track.New(db, track.Config{Roots: []string{root}, MaxContent: 1 << 20, Workers: 4}, slog.New(slog.DiscardHandler))
	s := New(tracker, service.NewInfo("content-tracker"), nil, slog.New(slog.DiscardHandler))
	sparse := func(name string) *trackerv1.TrackChangeRequest { // nothing to read but for the hash
		path := filepath.Join(root, name)
		if err := errors.Join(os.WriteFile(path, nil, 0o644), os.Truncate(path, 20<<20)); err != nil {
			t.Fatal(err)
		}
		return &trackerv1.TrackChangeRequest{Path: path}
	}
	items := make([]*trackerv1.TrackChangeRequest, 4)
	for i := range items {
		items[i] = sparse(fmt.Sprint(i))
	}
	answers := s.answers(t.Context(), items)
	for range items {
		answer, ok := <-answers
		if !ok {
			t.Fatal("an item has no answer")
		}
		for _, name := range []string{"a", "b", "c"} { // takes as long as another item would
			if _, err := s.trackChange(t.Context(), sparse(name)); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case _, more := <-answers:
			if more {
				t.Fatal("an item was tracked beside one whose answer is not sent")
			}
		default:
		}
		answer.sent()
	}
	if _, more := <-answers; more {
		t.Error("more answers than items")
	}
}
