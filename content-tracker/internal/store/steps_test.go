package store_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/sqlitetest"
	"github.com/obby/go-services/internal/stepindex"
)

// blocks proves that every block holds exactly what the rows from its first to its
// last hold, and returns how many rows are in none.
func (w *world) blocks() (outside int) {
	w.t.Helper()
	rows, err := w.read.QueryContext(w.t.Context(), `SELECT first_id, last_id, steps, data FROM obby_steps ORDER BY first_id`)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	inside, before := 0, int64(0)
	for rows.Next() {
		var first, last int64
		var steps int
		var data []byte
		if err := rows.Scan(&first, &last, &steps, &data); err != nil {
			w.t.Fatal(err)
		}
		var block stepindex.Block
		if err := block.Decode(data); err != nil {
			w.t.Fatal(err)
		}
		if diff := cmp.Diff(w.rows(first, last), block); diff != "" || block.Len() != steps || first <= before {
			w.t.Errorf("block %d to %d of %d steps, after one that ends at %d (-rows +block):\n%s", first, last, steps, before, diff)
		}
		inside, before = inside+steps, last
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return one[int](w, `SELECT count(*) FROM content_diffs`) - inside
}

// rows returns the rows from one id to another as a block.
func (w *world) rows(first, last int64) (b stepindex.Block) {
	w.t.Helper()
	rows, err := w.read.QueryContext(w.t.Context(), `SELECT d.id, ifnull(obby_time(d.timestamp), ?), p.path_id, d.change_type, d.lines_added, d.lines_removed
		FROM content_diffs d JOIN obby_paths p ON p.file_path = d.file_path WHERE d.id BETWEEN ? AND ? ORDER BY d.id`, int64(stepindex.NoTime), first, last)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, at, path, added, removed int64
		var kind string
		if err := rows.Scan(&id, &at, &path, &kind, &added, &removed); err != nil {
			w.t.Fatal(err)
		}
		b.Add(id, at, path, stepindex.Type(kind), added, removed)
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return b
}

// fill records n steps of seven paths as another program would.
func (w *world) fill(n int) {
	w.t.Helper()
	w.store.Writer(w.t, fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO content_diffs (file_path, change_type, lines_added, lines_removed, timestamp)
		SELECT '/n/' || (i %% 7), 'modified', i %% 5, i, datetime('2024-03-05', i || ' minutes') FROM n`, n))
}

// python runs a script on the database with Python's own SQLite.
func (w *world) python(statement string) {
	w.t.Helper()
	script := "import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1])\ndb.execute('PRAGMA foreign_keys = 1')\ndb.executescript(sys.argv[2])\n"
	if output, err := exec.CommandContext(w.t.Context(), "python3", "-c", script, w.database, statement).CombinedOutput(); err != nil {
		w.t.Fatalf("%s: %v\n%s", statement, err, output)
	}
}

// packer returns what packs as often as it takes.
func (w *world) packer() func(others bool) {
	pass := w.store.Packer()
	return func(others bool) {
		w.t.Helper()
		for range 3 { // a pass may find something that it leaves to the next
			if err := pass(w.t.Context(), others); err != nil {
				w.t.Fatal(err)
			}
			others = false
		}
	}
}

func TestPack(t *testing.T) {
	w := newWorld(t, "")
	pack := w.packer()
	pack(true)
	expect(t, "blocks of an empty history", one[int](w, `SELECT count(*) FROM obby_steps`), 0)
	w.fill(2500)
	pack(false)
	expect(t, "steps outside blocks", w.blocks(), 0)
	expect(t, "blocks", one[string](w, `SELECT group_concat(steps) FROM obby_steps`), "1024,1024,452")
	w.edit("a", "1\n", "2\n")
	expect(t, "steps outside blocks before the next pass", w.blocks(), 2)
	pack(false)
	expect(t, "steps outside blocks", w.blocks(), 0)
	expect(t, "blocks, the last of which has grown", one[string](w, `SELECT group_concat(steps) FROM obby_steps`), "1024,1024,454")
	for _, at := range []string{"'yesterday'", "1709633472", "1709633472.25", "'2024-03-05T10:11:12Z'", "x'ff'"} {
		w.store.Writer(t, `INSERT INTO content_diffs (file_path, change_type, timestamp) VALUES ('/caf%E9', 'created', `+at+`)`)
	}
	pack(false)
	expect(t, "case 44: steps outside blocks, with times of every form", w.blocks(), 0)
	w.sound()
}

// What the tracker itself changes is out of its block at once and in one again later.
func TestPackAfterRetentionAndForgetting(t *testing.T) {
	w := newWorld(t, "")
	pack := w.packer()
	w.edit("a", "1\n", "2\n", "3\n", "4\n")
	w.fill(1500)
	w.edit("b", "1\n", "2\n", "3\n")
	w.rename("b", "c")
	w.trackMove("b", "c")
	pack(true)
	w.retain(false, 0, "* last=1")
	if w.blocks() == 0 {
		t.Error("retention left every block")
	}
	pack(false)
	expect(t, "steps outside blocks after retention", w.blocks(), 0)
	if _, err := w.tracker.Forget(t.Context(), track.Scope{Path: w.path("c")}, false, false); err != nil {
		t.Fatal(err)
	}
	w.blocks()
	pack(false)
	expect(t, "steps outside blocks after forgetting", w.blocks(), 0)
	expect(t, "numbers of the forgotten path", one[int](w, `SELECT count(*) FROM obby_paths WHERE file_path = ?`, w.path("c")), 0)
}

// Rows that the Python side wrote are packed like any, those that it removed are missed.
func TestPackWithPython(t *testing.T) {
	w := newWorld(t, "")
	pack := w.packer()
	w.fill(3000)
	pack(true)
	for _, x := range []struct{ name, statement string }{
		{"it wrote", `INSERT INTO content_diffs (file_path, change_type, timestamp) VALUES ('/py', 'created', '2024-03-05 10:00:00')`},
		{"it removed from the middle", `DELETE FROM content_diffs WHERE id IN (5, 1500)`},
		{"it removed the end", `DELETE FROM content_diffs WHERE id > 2900`},
		{"it removed and wrote as many", `DELETE FROM content_diffs WHERE id = 7; INSERT INTO content_diffs (file_path, change_type, timestamp) VALUES ('/py', 'created', 1)`},
		{"it emptied the table and ids begin anew", `CREATE TEMP TABLE n AS SELECT count(*) AS n FROM content_diffs;
			DELETE FROM content_diffs; DELETE FROM sqlite_sequence;
			INSERT INTO content_diffs (file_path, change_type, timestamp) WITH RECURSIVE i (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM i WHERE i < (SELECT n FROM n))
			SELECT '/anew', 'created', 1709633472 + i FROM i`},
		{"it emptied the table", `DELETE FROM content_diffs`},
	} {
		t.Run(x.name, func(t *testing.T) {
			w.t = t
			w.python(x.statement)
			pack(true)
			expect(t, "steps outside blocks", w.blocks(), 0)
		})
	}
	w.t = t
	w.sound()
}

func TestPackLegacy(t *testing.T) { // case 41
	w := newWorld(t, sqlitetest.Legacy(t))
	w.packer()(true)
	expect(t, "case 41: steps outside blocks", w.blocks(), 0)
	expect(t, "case 41: steps in blocks", one[int](w, `SELECT sum(steps) FROM obby_steps`), 10)
}

// packingProcess is set in the process that TestPackKilled kills.
const packingProcess = "OBBY_TEST_PACK"

// A packer that is killed leaves blocks that say what the rows say.
func TestPackKilled(t *testing.T) { // case 37
	if database := os.Getenv(packingProcess); database != "" {
		packForEver(t, database)
	}
	w := newWorld(t, "")
	w.fill(5000)
	for round := range 3 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPackKilled$")
		child.Env = append(os.Environ(), packingProcess+"="+w.database)
		output, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		passes := bufio.NewScanner(output)
		for range 2 + round {
			if !passes.Scan() {
				t.Fatalf("the packer ended by itself: %v", passes.Err())
			}
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // it was killed
		w.blocks()
	}
	w.packer()(true)
	expect(t, "case 37: steps outside blocks", w.blocks(), 0)
	expect(t, "integrity_check", integrity(t, w.database), "ok")
}

// packForEver takes blocks apart and packs them, and says so after every pass.
func packForEver(t *testing.T, database string) {
	w := &world{t: t, database: database}
	s, _ := w.open()
	pack := s.Packer()
	for {
		s.Writer(t, `DELETE FROM obby_steps WHERE first_id IN (SELECT first_id FROM obby_steps ORDER BY random() LIMIT 2)`)
		if err := pack(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		fmt.Println("packed")
	}
}

// Another program removes the newest step, as an undo does: its block is wrong, not all.
func TestPackAfterUndo(t *testing.T) {
	w := newWorld(t, "")
	pack := w.packer()
	w.fill(5 * stepindex.MaxSteps)
	pack(true)
	w.store.Writer(t, `CREATE TABLE unpacked (first_id)`)
	w.store.Writer(t, `CREATE TRIGGER unpacked AFTER DELETE ON obby_steps BEGIN INSERT INTO unpacked VALUES (old.first_id); END`)
	w.python(`DELETE FROM content_diffs WHERE id = (SELECT max(id) FROM content_diffs)`)
	pack(true)
	expect(t, "steps outside blocks", w.blocks(), 0)
	expect(t, "blocks that were taken apart", one[string](w, `SELECT group_concat(DISTINCT first_id) FROM unpacked`), fmt.Sprint(4*stepindex.MaxSteps+1))
}
