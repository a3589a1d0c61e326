package sqlite_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/sqlite"
	"github.com/obby/go-services/internal/sqlitetest"
)

func TestPicks(t *testing.T) {
	path, _ := sqlitetest.New(t)
	db := reader(t, path)
	const file = "/n/caf\xe9.md"
	for _, tc := range []struct {
		picks sqlite.Picks
		want  int
	}{
		{sqlite.Picks{}, 1},
		{sqlite.Picks{Extensions: []string{"MD"}}, 1},
		{sqlite.Picks{Extensions: []string{"txt"}}, 0},
		{sqlite.Picks{Pattern: []byte("caf\xe9.*")}, 1},
		{sqlite.Picks{Pattern: []byte("/n/*")}, 1},
		{sqlite.Picks{Prefix: []byte("/n"), Pattern: []byte("n/*")}, 0},
	} {
		text, err := json.Marshal(tc.picks)
		if err != nil {
			t.Fatal(err)
		}
		if got := scalar[int](t, db, "SELECT obby_picks(?, ?)", string(text), rawpath.Encode(file)); got != tc.want {
			t.Errorf("case 31: obby_picks(%s) is %d, want %d", text, got, tc.want)
		}
	}
	for _, text := range []string{"", `{"Extensions": ["."]}`} {
		if _, err := db.ExecContext(t.Context(), "SELECT obby_picks(?, '/a')", text); err == nil {
			t.Errorf("obby_picks(%q) is no error", text)
		}
	}
	if err := (sqlite.Picks{Pattern: []byte("#")}).Check(); err == nil || !strings.Contains(err.Error(), "comment") {
		t.Errorf("a pattern that is a comment gave %v", err)
	}
}
