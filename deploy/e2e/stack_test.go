package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/obby/go-services/deploy/run/stack"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
)

// waitLimit bounds every wait for a condition: far beyond what a loaded machine
// needs, so that it is met only by what never happens.
const waitLimit = 60 * time.Second

// world is a running stack on a folder of its own.
type world struct {
	*stack.Stack
	root     string
	database string
	query    queryv1.QueryServiceClient
}

// startWorld runs the stack on a new folder that watches *.md.
func startWorld(t *testing.T, database string) *world {
	t.Helper()
	return start(t, &world{root: t.TempDir(), database: database}, nil)
}

// startWorldWith does so with further arguments.
func startWorldWith(t *testing.T, args map[string][]string) *world {
	t.Helper()
	return start(t, &world{root: t.TempDir()}, args)
}

func start(t *testing.T, w *world, args map[string][]string) *world {
	t.Helper()
	root := w.root
	if w.database == "" {
		w.database = filepath.Join(t.TempDir(), "obby.db")
	}
	write(t, filepath.Join(root, ".obbywatch"), "*.md\n")
	ephemeral := []string{"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}
	log := &logBook{}
	var err error
	w.Stack, err = stack.Start(t.Context(), stack.Options{
		Bin: binaries(t), Database: w.database, Roots: []string{root}, Log: log.line,
		Args: map[string][]string{
			stack.Hub:     slices.Concat([]string{"--http", "127.0.0.1:0"}, ephemeral, args[stack.Hub]),
			stack.Watcher: append([]string{"--debounce", "100ms"}, ephemeral...),
			stack.Tracker: slices.Concat(ephemeral, args[stack.Tracker]),
			stack.Query:   ephemeral,
		},
	})
	t.Cleanup(func() { log.check(t) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), waitLimit)
		defer cancel()
		w.Stop(ctx)
	})
	w.query = queryv1.NewQueryServiceClient(w.dial(t, stack.Query))
	return w
}

func (w *world) dial(t *testing.T, service string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(w.Get(service).Addr["grpc"], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// path returns the absolute path of a file below the watched folder.
func (w *world) path(name string) string { return filepath.Join(w.root, filepath.FromSlash(name)) }

// kill ends a service with SIGKILL and starts it again.
func (w *world) kill(t *testing.T, service string, meanwhile func()) {
	t.Helper()
	w.Get(service).Kill()
	meanwhile()
	if err := w.Get(service).Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// history lists the recorded steps of a file, oldest first, as "type +a -r".
func (w *world) history(t *testing.T, name string) []string {
	t.Helper()
	resp, err := w.query.GetRecentDiffs(t.Context(), &queryv1.GetRecentDiffsRequest{
		Filter: &queryv1.DiffFilter{PathPrefix: w.path(name)}, PageSize: 1000,
	})
	if err != nil {
		t.Fatalf("recent diffs of %s: %v", name, err)
	}
	var steps []string
	for _, d := range resp.Diffs {
		kind := strings.ToLower(strings.TrimPrefix(d.ChangeType.String(), "CHANGE_TYPE_"))
		steps = append([]string{fmt.Sprintf("%s +%d -%d", kind, d.LinesAdded, d.LinesRemoved)}, steps...)
	}
	return steps
}

// stored returns the newest stored text of every live path, read from the file
// itself as any other program would.
func (w *world) stored(t *testing.T) map[string]string { t.Helper(); return storedIn(t, w.database) }

func storedIn(t *testing.T, database string) map[string]string {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+database+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT s.file_path, v.content FROM file_states s
		JOIN file_versions v ON v.file_path = s.file_path AND v.content_hash = s.content_hash`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	texts := map[string]string{}
	for rows.Next() {
		var path, text string
		if err := rows.Scan(&path, &text); err != nil {
			t.Fatal(err)
		}
		texts[path] = text
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return texts
}

// onDisk returns the text of every watched file.
func (w *world) onDisk(t *testing.T) map[string]string { t.Helper(); return textsBelow(t, w.root) }

func textsBelow(t *testing.T, root string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		texts[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// binaries returns the directory of the built programs.
func binaries(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("OBBY_BIN")
	if dir == "" {
		dir = filepath.Join("..", "..", "bin")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, stack.Tracker)); err != nil {
		t.Fatalf("the programs are not built: run `make build`, or `make test`, which builds them (%v)", err)
	}
	return dir
}

// eventually waits for a condition that has no event of its own to wait for.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for limit := time.Now().Add(waitLimit); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("waited %v in vain: %s", waitLimit, what)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// logBook collects the services' logs: shown when the test fails, and a failure
// of its own when one of them reports a data race or a panic.
type logBook struct {
	mu   sync.Mutex // guards text: the services log concurrently
	text bytes.Buffer
}

func (l *logBook) line(service, line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(&l.text, "%s | %s\n", service, line)
}

func (l *logBook) check(t *testing.T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, bad := range []string{"WARNING: DATA RACE", "panic:", "msg=panic"} {
		if strings.Contains(l.text.String(), bad) {
			t.Errorf("a service's log holds %q", bad)
		}
	}
	if t.Failed() {
		t.Logf("logs of the services:\n%s", l.text.String())
	}
}
