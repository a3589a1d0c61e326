package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/obby/go-services/internal/sqlite"
)

// inserts are the statements that a history is written with.
type inserts struct {
	version, diff, kind, entry, topic, keyword *sql.Stmt
}

// prepare prepares them; they end with the transaction.
func prepare(ctx context.Context, tx *sql.Tx) (s inserts, err error) {
	for _, x := range []struct {
		statement **sql.Stmt
		text      string
	}{
		{&s.version, `INSERT INTO file_versions (file_path, content_hash, content, line_count, timestamp, change_description) VALUES (?, ?, ?, ?, ?, ?)`},
		{&s.diff, `INSERT INTO content_diffs (file_path, old_version_id, new_version_id, change_type, diff_content, lines_added, lines_removed, timestamp) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`},
		{&s.kind, `INSERT INTO obby_versions (version_id, kind, eol, size_bytes, mtime_ns) VALUES (?, 'text', 'lf', ?, 0)`},
		{&s.entry, `INSERT INTO semantic_entries (version_id, timestamp, date, time, type, file_path, summary) VALUES (?, ?, ?, ?, 'note', ?, ?)`},
		{&s.topic, `INSERT OR IGNORE INTO semantic_topics (entry_id, topic) VALUES (?, ?)`},
		{&s.keyword, `INSERT OR IGNORE INTO semantic_keywords (entry_id, keyword) VALUES (?, ?)`},
	} {
		if *x.statement, err = tx.PrepareContext(ctx, x.text); err != nil { //nolint:sqlclosecheck // ends with the transaction
			return s, err
		}
	}
	return s, nil
}

func transact(ctx context.Context, db *sql.DB, f func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// generate returns the path of a database of this extent in dir, and makes it
// unless it is there.
func generate(ctx context.Context, dir string, size extent) (string, error) {
	path := filepath.Join(dir, fmt.Sprintf("obby-%d-%d-%d.db", size.versions, size.files, size.bytes))
	if _, err := os.Stat(path); err == nil {
		return path, warm(path)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	unfinished := path + ".unfinished"
	for _, file := range []string{unfinished, unfinished + "-wal", unfinished + "-shm"} {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
	}
	db, err := sqlite.Create(ctx, unfinished)
	if err != nil {
		return "", err
	}
	if err := errors.Join(fill(ctx, db, size), db.Close()); err != nil {
		return "", fmt.Errorf("make %s: %w", path, err)
	}
	return path, os.Rename(unfinished, path)
}

// fill writes the history without a journal, for it is made anew after a failure,
// and the indexes at its end: one sort each.
func fill(ctx context.Context, db *sql.DB, size extent) error {
	if err := sqlite.Adopt(ctx, db); err != nil {
		return err
	}
	if err := execute(ctx, db, `PRAGMA journal_mode = OFF`, `PRAGMA synchronous = OFF`, `PRAGMA cache_size = -400000`); err != nil {
		return err
	}
	names, statements, err := indexes(ctx, db)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := execute(ctx, db, `DROP INDEX `+name); err != nil {
			return err
		}
	}
	h := history{extent: size}
	if err := h.write(ctx, db); err != nil {
		return err
	}
	return execute(ctx, db, append(statements, `PRAGMA journal_mode = WAL`)...)
}

// indexes returns the indexes that a statement has made, and those statements.
func indexes(ctx context.Context, db *sql.DB) (names, statements []string, err error) {
	rows, err := db.QueryContext(ctx, `SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL`)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name, statement string
		if err := rows.Scan(&name, &statement); err != nil {
			return nil, nil, err
		}
		names, statements = append(names, name), append(statements, statement)
	}
	return names, statements, rows.Err()
}

func execute(ctx context.Context, db *sql.DB, statements ...string) error {
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// warm reads a file, so that a kept one is in the kernel's cache as a new one is.
func warm(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(io.Discard, file)
	return err
}
