package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/sqlitetest"
	"github.com/obby/go-services/query-service/internal/query"
)

// A page that is kept is the page: every write shows at once, in whatever form.
func TestRecentIsNeverOld(t *testing.T) {
	path, db := sqlitetest.New(t)
	s := serve(t, path)
	want := func(what string, text string, ids_ ...int64) {
		t.Helper()
		for range 2 { // the second is kept
			page := diffs(t, s, query.DiffQuery{Limit: 2, WithText: true})
			if diff := cmp.Diff(ids_, ids(page)); diff != "" || len(page.Items) > 0 && page.Items[0].Text != text {
				t.Errorf("%s: %q (-want +got):\n%s", what, page.Items[0].Text, diff)
			}
		}
	}
	want("nothing", "")
	step(t, db, "/a", "created", sqlitetest.TimeMicros)
	want("one step", "diff", 1)
	for range 3 {
		step(t, db, "/a", "modified", sqlitetest.TimeMicros)
	}
	want("more", "diff", 4, 3)
	exec(t, db, "UPDATE content_diffs SET diff_content = 'joined' WHERE id = 4")
	want("joined", "joined", 4, 3)
	exec(t, db, "DELETE FROM content_diffs WHERE id = 4")
	want("removed", "diff", 3, 2)
	if got := ids(diffs(t, s, query.DiffQuery{Limit: 1})); !cmp.Equal(got, []int64{3}) {
		t.Errorf("a page of another size is %v", got)
	}
	if got := diffs(t, s, query.DiffQuery{Limit: 2}); got.Items[0].Text != "" || !got.More {
		t.Errorf("without the text it is %+v", got)
	}
}
