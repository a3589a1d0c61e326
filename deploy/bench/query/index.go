package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/obby/go-services/deploy/bench/measure"
	"github.com/obby/go-services/deploy/run/stack"
	"github.com/obby/go-services/internal/sqlite"
)

// index has the built tracker bring its tables up to date and write what it keeps
// beside the product's rows, as it does with rows that Python wrote: the search
// index and whatever the reader's answers are quick by.
func index(ctx context.Context, bin, path string) (err error) {
	root, err := os.MkdirTemp("", "bench-query-root-") // empty: nothing of it is recorded
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	var last string
	tracker, err := stack.StartProcess(ctx, filepath.Join(bin, stack.Tracker), stack.Tracker,
		[]string{"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--database", path, "--root", root},
		func(_, line string) { last = line })
	if err != nil {
		return fmt.Errorf("%w; its last word: %s", err, last)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err = errors.Join(err, tracker.Stop(ctx)) // which truncates the WAL
	}()
	for {
		if _, err := measure.Rest(ctx, tracker.PID()); err != nil {
			return fmt.Errorf("%w; its last word: %s", err, last)
		}
		if done, err := indexed(ctx, path); done || err != nil {
			return err
		}
	}
}

// indexed reports whether the tracker has looked at every row.
func indexed(ctx context.Context, path string) (done bool, err error) {
	db, err := sqlite.Reader(path)
	if err != nil {
		return false, err
	}
	defer db.Close()
	err = db.QueryRowContext(ctx, `SELECT
		(SELECT max(id) FROM file_versions) = (SELECT CAST(value AS INTEGER) FROM obby_meta WHERE key = 'indexed_file_versions') AND
		(SELECT max(id) FROM content_diffs) = (SELECT CAST(value AS INTEGER) FROM obby_meta WHERE key = 'indexed_content_diffs')`).Scan(&done)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return done, err
}
