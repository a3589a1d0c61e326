package e2e

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/deploy/run/stack"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
)

// One change travels from the disk to an SSE client, the database and every
// question that the query-service answers about it.
func TestOneChange(t *testing.T) {
	w := startWorld(t, "")
	events := w.listen(t)
	write(t, w.path("notes/a.md"), "hi\n")

	got := events.next(t)
	if got.event != "created" || got.Path != w.path("notes/a.md") || got.VersionID == "" || got.LineCount != 1 || got.LinesAdded != 1 {
		t.Errorf("event is %+v", got)
	}
	if !strings.HasPrefix(got.Diff, "--- /dev/null\n") || !strings.HasSuffix(got.Diff, "\n+hi\n") {
		t.Errorf("diff is %q", got.Diff)
	}
	if diff := cmp.Diff(map[string]string{w.path("notes/a.md"): "hi\n"}, w.stored(t)); diff != "" {
		t.Errorf("database (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"created +1 -0"}, w.history(t, "notes/a.md")); diff != "" {
		t.Errorf("recent diffs (-want +got):\n%s", diff)
	}
	found, err := w.query.SearchContent(t.Context(), &queryv1.SearchContentRequest{Query: "hi"})
	if err != nil || len(found.Results) != 1 || found.Results[0].Path != w.path("notes/a.md") {
		t.Errorf("search for hi gave %v, %v", found, err)
	}
	versions, err := w.query.GetFileVersions(t.Context(), &queryv1.GetFileVersionsRequest{Path: w.path("notes/a.md")})
	if err != nil || len(versions.Versions) != 1 || !versions.Versions[0].Current {
		t.Fatalf("versions are %v, %v", versions, err)
	}
	content, err := w.query.GetVersionContent(t.Context(), &queryv1.GetVersionContentRequest{VersionId: versions.Versions[0].VersionId})
	if err != nil || string(content.Content) != "hi\n" {
		t.Errorf("content is %v, %v", content, err)
	}
}

// A killed tracker records, once it is back, what happened meanwhile: once each.
func TestTrackerKilled(t *testing.T) {
	w := startWorld(t, "")
	events := w.listen(t)
	names := []string{"a.md", "b.md", "c.md", "d.md"}
	for _, name := range names {
		write(t, w.path(name), "one\n")
	}
	for range names {
		events.next(t)
	}
	w.kill(t, stack.Tracker, func() {
		for _, name := range names[:3] {
			write(t, w.path(name), "one\ntwo\n")
		}
		remove(t, w.path("d.md"))
	})
	got := map[string]string{}
	for range names {
		c := events.next(t)
		got[c.Path] = c.Type
	}
	want := map[string]string{w.path("a.md"): "modified", w.path("b.md"): "modified", w.path("c.md"): "modified", w.path("d.md"): "deleted"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events after the restart (-want +got):\n%s", diff)
	}
	write(t, w.path("last.md"), "end\n")
	if extra := events.until(t, w.path("last.md"), "created"); len(extra) != 1 {
		t.Errorf("events came twice: %+v", extra)
	}
	for name, steps := range map[string][]string{
		"a.md": {"created +1 -0", "modified +1 -0"},
		"d.md": {"created +1 -0", "deleted +0 -1"},
	} {
		if diff := cmp.Diff(steps, w.history(t, name)); diff != "" {
			t.Errorf("history of %s (-want +got):\n%s", name, diff)
		}
	}
}

// Whichever service is killed under edits, the end state is the disk's.
func TestEveryServiceKilled(t *testing.T) {
	for _, service := range stack.Services {
		t.Run(service, func(t *testing.T) {
			w := startWorld(t, "")
			write(t, w.path("before.md"), "before\n")
			w.kill(t, service, func() {
				write(t, w.path("meanwhile.md"), "meanwhile\n")
				write(t, w.path("before.md"), "changed\n")
			})
			write(t, w.path("sub/after.md"), "after\n")
			eventually(t, "the stored files equal the disk", func() bool {
				return cmp.Equal(w.onDisk(t), w.stored(t))
			})
		})
	}
}
