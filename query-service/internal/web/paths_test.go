package web

import (
	"database/sql"
	"encoding/base64"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/sqlitetest"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
)

// legacy is a database of the Python backend, which no tracker has adopted.
func legacy(t *testing.T) string {
	t.Helper()
	return sqlitetest.Legacy(t)
}

func exec(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// adopted is a database with one path that is not UTF-8, topics whose names a URL
// gives a meaning to, and a content as large as it may be.
func adopted(t *testing.T, file string, topics []string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "obby.db")
	db := sqlitetest.Adopted(t, path)
	exec(t, db, "INSERT INTO file_versions (file_path, content_hash, content, timestamp) VALUES (?, ?, ?, 1)", rawpath.Encode(file), sqlitetest.Hash("x"), string(content))
	exec(t, db, "INSERT INTO content_diffs (file_path, new_version_id, change_type, diff_content, timestamp) VALUES (?, 1, 'created', '+x', 1)", rawpath.Encode(file))
	exec(t, db, "INSERT INTO semantic_entries (id, version_id, timestamp, file_path) VALUES (1, 1, 1, ?)", rawpath.Encode(file))
	for _, topic := range topics {
		exec(t, db, "INSERT INTO semantic_topics (entry_id, topic) VALUES (1, ?)", topic)
	}
	return path
}

// A path that is not UTF-8 goes in and comes out by its bytes.
func TestRawPaths(t *testing.T) {
	const file = "/caf\xe9/\xff?.md"
	s := serve(t, adopted(t, file, nil, []byte("x")))
	for name, encoded := range map[string]string{
		"base64":                 url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(file))),
		"base64 for URLs":        base64.URLEncoding.EncodeToString([]byte(file)),
		"base64 without padding": base64.RawURLEncoding.EncodeToString([]byte(file)),
	} {
		t.Run(name, func(t *testing.T) {
			resp, body := s.get(t, "/api/v1/versions?raw_path="+encoded)
			var got queryv1.GetFileVersionsResponse
			if err := protojson.Unmarshal([]byte(body), &got); err != nil || len(got.Versions) != 1 {
				t.Fatalf("%s, %v: %s", resp.Status, err, body)
			}
			if v := got.Versions[0]; string(v.RawPath) != file || v.Path != "/caf\uFFFD/\uFFFD?.md" {
				t.Errorf("the path is %q, %q", v.Path, v.RawPath)
			}
		})
	}
	prefix := base64.RawURLEncoding.EncodeToString([]byte("/caf\xe9"))
	if _, body := s.get(t, "/api/v1/diffs?filter.rawPathPrefix="+prefix); !strings.Contains(body, `"changeId":"1"`) {
		t.Errorf("below a folder: %s", body)
	}
}

// A topic is one segment of the path, whatever stands in it.
func TestTopics(t *testing.T) {
	topics := []string{"work/plans", "a b", "50%", "c++", "?#&=", "検索", "v1:draft", "/a/", "..", "{topic}"}
	s := serve(t, adopted(t, "/n.md", topics, []byte("x")))
	for _, topic := range topics {
		segment := url.PathEscape(topic)
		if topic == ".." { // is a folder's name to every program on the way
			segment = "%2E%2E"
		}
		resp, body := s.get(t, "/api/v1/topics/"+segment+"/files")
		if !strings.Contains(body, `"/n.md"`) {
			t.Errorf("topic %q: %s %s", topic, resp.Status, body)
		}
	}
	resp, body := s.get(t, "/api/v1/topics/work/plans/files")
	wantStatus(t, resp, body, 404, 5, "NO_SUCH_PATH")
}

// The largest content that gRPC carries comes over HTTP too.
func TestLargeContent(t *testing.T) {
	content := []byte(strings.Repeat("x", 15<<20-1) + "\n")
	s := serve(t, adopted(t, "/n.md", nil, content))
	resp, body := s.get(t, "/api/v1/versions/1")
	var got queryv1.GetVersionContentResponse
	if err := protojson.Unmarshal([]byte(body), &got); err != nil || len(got.Content) != len(content) {
		t.Fatalf("%s, %v: %d bytes, %.300s", resp.Status, err, len(got.Content), body)
	}
}
