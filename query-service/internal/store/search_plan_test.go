package store

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/obby/go-services/query-service/internal/query"
)

// The plans of what searches. Nothing that is sorted holds a content, and of the
// versions only those that the index names are read.
func TestSearchPlans(t *testing.T) {
	s, _ := fresh(t)
	filtered := query.FileFilter{
		Prefix: "/a", Pattern: "*.md", Extensions: []string{"md"}, Range: query.Range{From: time.Unix(0, 0)},
	}
	var got strings.Builder
	show := func(name, statement string, args []any, err error) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		fmt.Fprintf(&got, "%s\n%s\n", name, plan(t, s, statement, args))
	}
	words := query.FilesQuery{Match: `"a"`, InPath: `file_path : "a"`}
	statement, args, err := rankedStatement(words)
	show("words", statement, args, err)
	words.Files = filtered
	statement, args, err = rankedStatement(words)
	show("words in files of a kind", statement, args, err)
	statement, args, err = newestStatement(query.FilesQuery{})
	show("a text anywhere", statement, args, err)
	statement, args, err = newestStatement(words)
	show("a text beside a word in files of a kind", statement, args, err)
	statement, args, err = textsStatement(query.TextsQuery{After: "/a"})
	show("a text in the history", statement, args, err)
	statement, args, err = textsStatement(query.TextsQuery{Path: "/a"})
	show("a text in the history of a path", statement, args, err)
	statement, args, err = textsStatement(query.TextsQuery{Files: filtered, After: "/a"})
	show("a text in the history of files of a kind", statement, args, err)
	show("steps of a path", selectStepsOf, []any{"/a"}, nil)
	show("versions by id", versionsByIDStatement(2), []any{1, 2}, nil)
	show("whether there are summaries", selectSummarized, nil, nil)

	golden(t, filepath.Join("testdata", "search_plans.golden"), got.String())
}
