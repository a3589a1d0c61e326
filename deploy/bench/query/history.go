package main

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/obby/go-services/internal/sqlite"
)

// extent is how large a database is to be.
type extent struct {
	versions, files int
	bytes           int // mean size of a content
}

const (
	atOnce    = 10_000 // versions in a transaction
	deletions = 0.005  // steps that delete a file; it comes again when it is chosen again
	summaries = 0.02   // versions of which there is a summary
)

// history writes versions and steps in the order of their times, as the tracker
// would have, in far less time. What no question reads is left empty: events,
// file_changes and obby_files.
type history struct {
	extent
	random *rand.Rand
	rhythm rhythm
	notes  []*note

	insert inserts
	made   int     // versions
	share  float64 // of the year that is over
}

// write fills an adopted database, the same every time but for its times, which
// end now.
func (h *history) write(ctx context.Context, db *sql.DB) error {
	h.random = rand.New(rand.NewPCG(1, 2))
	h.rhythm = newRhythm(time.Now())
	for h.made < h.versions {
		if err := h.batch(ctx, db); err != nil {
			return err
		}
	}
	return transact(ctx, db, func(tx *sql.Tx) error { return h.states(ctx, tx) })
}

func (h *history) batch(ctx context.Context, db *sql.DB) error {
	return transact(ctx, db, func(tx *sql.Tx) (err error) {
		if h.insert, err = prepare(ctx, tx); err != nil {
			return err
		}
		for end := min(h.made+atOnce, h.versions); h.made < end; {
			if err := h.next(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// next makes one step. Half of the files are there after a quarter of the year.
func (h *history) next(ctx context.Context) error {
	h.share = max(h.share, (float64(h.made)+h.random.Float64())/float64(h.versions))
	at := sqlite.FormatTime(h.rhythm.at(h.share))
	if len(h.notes) < int(math.Ceil(float64(h.files)*math.Sqrt(h.share))) {
		n := newNote(h.random, len(h.notes), h.bytes)
		h.notes = append(h.notes, n)
		return h.version(ctx, n, "created", n.create(h.random), at)
	}
	n := h.notes[favourite(h.random, len(h.notes))]
	switch {
	case n.version == 0:
		return h.version(ctx, n, "created", n.create(h.random), at)
	case h.random.Float64() < deletions:
		s := n.remove()
		old := n.version
		n.version, n.hash = 0, ""
		_, err := h.insert.diff.ExecContext(ctx, n.path, old, nil, "deleted", s.diff, s.added, s.removed, at)
		return err
	default:
		return h.version(ctx, n, "modified", n.change(h.random), at)
	}
}

// version writes a version and the step that made it.
func (h *history) version(ctx context.Context, n *note, kind string, s step, at string) error {
	text := n.text()
	done, err := h.insert.version.ExecContext(ctx, n.path, n.hash, text, len(n.lines), at, "File "+kind)
	if err != nil {
		return err
	}
	var old any
	if n.version != 0 {
		old = n.version
	}
	if n.version, err = done.LastInsertId(); err != nil {
		return err
	}
	h.made++
	if _, err := h.insert.diff.ExecContext(ctx, n.path, old, n.version, kind, s.diff, s.added, s.removed, at); err != nil {
		return err
	}
	if _, err := h.insert.kind.ExecContext(ctx, n.version, len(text)); err != nil {
		return err
	}
	if h.random.Float64() < summaries {
		return h.summary(ctx, n, at)
	}
	return nil
}

// summary writes what the Python side says of some versions.
func (h *history) summary(ctx context.Context, n *note, at string) error {
	done, err := h.insert.entry.ExecContext(ctx, n.version, at, at[:10], at[11:19], n.path, "Changes in "+n.lines[0])
	if err != nil {
		return err
	}
	entry, err := done.LastInsertId()
	if err != nil {
		return err
	}
	for range 1 + h.random.IntN(3) {
		if _, err := h.insert.topic.ExecContext(ctx, entry, topic(common(h.random, topicCount))); err != nil {
			return err
		}
	}
	for range 2 + h.random.IntN(4) {
		if _, err := h.insert.keyword.ExecContext(ctx, entry, vocabulary[20+common(h.random, 2000)]); err != nil {
			return err
		}
	}
	return nil
}

// states writes where each file stands at the end.
func (h *history) states(ctx context.Context, tx *sql.Tx) error {
	at := sqlite.FormatTime(time.Now())
	for _, n := range h.notes {
		var hash any
		if n.version != 0 {
			hash = n.hash
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO file_states (file_path, content_hash, last_modified, line_count)
			VALUES (?, ?, ?, ?)`, n.path, hash, at, len(n.lines)); err != nil {
			return fmt.Errorf("write the state of %s: %w", n.path, err)
		}
	}
	return nil
}
