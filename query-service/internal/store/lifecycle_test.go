package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/sqlitetest"
	"github.com/obby/go-services/query-service/internal/query"
)

// watched returns a store that was not opened, and what it reported last.
func watched(path string) (s *Store, reported *error) {
	reported = new(error)
	return New(path, slog.New(slog.DiscardHandler), func(err error) { *reported = err }), reported
}

func TestMissingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "obby.db")
	s, reported := watched(path)
	if _, err := s.Last(t.Context()); !errors.Is(err, query.ErrUnavailable) {
		t.Errorf("before it was opened: %v", err)
	}
	s.check(t.Context())
	if *reported == nil || !strings.Contains((*reported).Error(), path+" does not exist: start the content-tracker") {
		t.Errorf("a missing file is reported as %v", *reported)
	}
	if _, err := s.Diffs(t.Context(), query.DiffQuery{Limit: 1}); !errors.Is(err, query.ErrUnavailable) {
		t.Errorf("a missing file answers %v", err)
	}
	step(t, sqlitetest.Adopted(t, path), "/a", "created", 1)
	s.check(t.Context())
	if *reported != nil || len(diffs(t, s, query.DiffQuery{}).Items) != 1 {
		t.Errorf("once it is there: %v", *reported)
	}
	s.swap(nil, query.ErrUnavailable)
}

func TestUnusableFile(t *testing.T) {
	for name, content := range map[string]string{"empty": "", "no database": strings.Repeat("text", 1024)} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "obby.db")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			s, reported := watched(path)
			s.check(t.Context())
			if _, err := s.Last(t.Context()); *reported == nil || !errors.Is(err, query.ErrUnavailable) {
				t.Errorf("reported %v, answered %v", *reported, err)
			}
		})
	}
}

func TestReplacedFile(t *testing.T) {
	path, db := sqlitetest.New(t)
	step(t, db, "/before", "created", 1)
	s := serve(t, path)
	before, err := s.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other, otherDB := sqlitetest.New(t)
	step(t, otherDB, "/after", "created", 1)
	otherDB.Close()
	db.Close()
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	s.check(t.Context())
	if got := diffs(t, s, query.DiffQuery{}).Items; len(got) != 1 || got[0].Path != "/after" {
		t.Errorf("case 60: the file that replaced the first holds %v", got)
	}
	after, err := s.Last(t.Context())
	if err != nil || !errors.Is(before.Check(after), query.ErrUnknownToken) {
		t.Errorf("case 60: a position of the first file is one of the second: %v, %v", before, after)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	s.check(t.Context())
	if _, err := s.Last(t.Context()); !errors.Is(err, query.ErrUnavailable) {
		t.Errorf("a file that was removed answers %v", err)
	}
}

// cp writes a backup into the file that is there.
func TestOverwrittenFile(t *testing.T) {
	path, db := sqlitetest.New(t)
	step(t, db, "/before", "created", 1)
	db.Close()
	s := serve(t, path)
	before, err := s.Last(t.Context())
	if err != nil || len(diffs(t, s, query.DiffQuery{}).Items) != 1 {
		t.Fatal(err)
	}
	other, otherDB := sqlitetest.New(t)
	step(t, otherDB, "/after", "created", 1)
	otherDB.Close()
	content, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	s.check(t.Context())
	if got := diffs(t, s, query.DiffQuery{}).Items; len(got) != 1 || got[0].Path != "/after" {
		t.Errorf("case 60: the file that was overwritten holds %v", got)
	}
	after, err := s.Last(t.Context())
	if err != nil || !errors.Is(before.Check(after), query.ErrUnknownToken) {
		t.Errorf("case 60: a position of before is one of the file: %v, %v, %v", before, after, err)
	}
	opened := s.database
	writer := sqlitetest.Adopted(t, path)
	for _, statement := range []string{"INSERT INTO content_diffs (file_path, change_type, timestamp) VALUES ('/more', 'created', 1)", "PRAGMA wal_checkpoint"} {
		exec(t, writer, statement)
		s.check(t.Context())
		if s.database != opened {
			t.Errorf("the database was opened anew for %s", statement)
		}
	}
}

// A question that takes long keeps neither the next database nor other questions waiting
// when the file is replaced, and its own database open until it ends.
func TestReplacedWhileAsked(t *testing.T) {
	path, db := sqlitetest.New(t)
	step(t, db, "/a", "created", 1)
	step(t, db, "/b", "created", 1)
	s := serve(t, path)
	before := s.database
	inside, leave := make(chan struct{}), make(chan struct{})
	rows := make(chan int, 1)
	go func() { // ended by leave
		n := 0
		err := s.each(context.Background(), "SELECT id FROM content_diffs", nil, func(*sql.Rows) error {
			if n++; n == 1 {
				close(inside)
				<-leave
			}
			return nil
		})
		if err != nil {
			t.Errorf("the question ended with %v", err)
		}
		rows <- n
	}()
	<-inside
	s.swap(nil, query.ErrUnavailable)
	if _, err := s.Last(t.Context()); !errors.Is(err, query.ErrUnavailable) {
		t.Errorf("meanwhile another question gets %v", err)
	}
	close(leave)
	if n := <-rows; n != 2 {
		t.Errorf("%d rows came, want 2", n)
	}
	s.closing.Wait()
	if err := before.PingContext(t.Context()); err == nil {
		t.Error("the database is still open")
	}
}

func TestAdoptedWhileOpen(t *testing.T) {
	path := sqlitetest.Legacy(t)
	s := serve(t, path)
	db := sqlitetest.Adopted(t, path)
	exec(t, db, "ALTER TABLE file_versions ADD COLUMN more TEXT")
	s.check(t.Context())
	record(t, db, "/new", "needle")
	if got := paths(search(t, s, query.Plain, "needle", "")); !cmp.Equal(got, []string{"/new"}) {
		t.Errorf("case 41: after the file was adopted the search found %v", got)
	}
}

// A crash leaves a log that nobody closed: its rows are read, and a writer that is
// at work does not disturb.
func TestLeftoverLog(t *testing.T) {
	path, db := sqlitetest.New(t)
	step(t, db, "/a", "created", 1)
	crashed := filepath.Join(t.TempDir(), "obby.db")
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(crashed+suffix, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := diffs(t, serve(t, crashed), query.DiffQuery{}).Items; len(got) != 1 {
		t.Errorf("case 61: %d steps were read, want 1", len(got))
	}
}

func TestWriterAtWork(t *testing.T) {
	s, db := fresh(t)
	const steps = 300
	var wait sync.WaitGroup
	wait.Go(func() {
		for range steps {
			step(t, db, "/a", "modified", sqlitetest.TimeMicros)
		}
	})
	for range 4 {
		wait.Go(func() {
			var seen int64
			for seen < steps && !t.Failed() {
				page, err := s.Diffs(t.Context(), query.DiffQuery{After: seen, Oldest: true, Limit: 7})
				if err != nil {
					t.Errorf("read while another writes: %v", err)
					return
				}
				for _, d := range page.Items {
					if seen++; d.ID != seen {
						t.Errorf("step %d came, want %d", d.ID, seen)
					}
				}
			}
		})
	}
	wait.Wait()
}

func TestDeadline(t *testing.T) {
	s, _ := fresh(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	endless := "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
	if err := s.each(ctx, endless, nil, func(*sql.Rows) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an endless statement answers %v", err)
	}
}

func TestRun(t *testing.T) {
	path, _ := sqlitetest.New(t)
	usable := make(chan error, 1)
	s := New(path, slog.New(slog.DiscardHandler), func(err error) { usable <- err })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	if err := <-usable; err != nil {
		t.Errorf("a database that is there is reported as %v", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run returned %v", err)
	}
	if _, err := s.Last(t.Context()); !errors.Is(err, query.ErrUnavailable) {
		t.Errorf("after Run the store answers %v", err)
	}
}
