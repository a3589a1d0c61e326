package textdiff_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/obby/go-services/internal/textdiff"
)

// pair is two contents of one text, the one before and the one after an edit.
type pair struct {
	name     string
	old, new []byte
}

// changed is how many lines were added and removed.
type changed struct{ added, removed int64 }

func (c changed) lines() int64 { return c.added + c.removed }

// most is by how many per cent of git's a corpus may have more changed lines.
const most = 2

// TestNumstat holds the size of the diffs against `git diff --minimal`: over the
// history of this repository, and over texts that come with Go, edited by rule.
func TestNumstat(t *testing.T) {
	for _, corpus := range []struct {
		name string
		make func(*testing.T) []pair
	}{{"history", history}, {"edits", editedTexts}, {"large", largeTexts}} {
		t.Run(corpus.name, func(t *testing.T) {
			pairs := corpus.make(t)
			compare(t, pairs, numstat(t, pairs))
		})
	}
}

// compare holds our counts against git's: each pair by itself too, where a file
// is small enough to be compared without being divided.
func compare(t *testing.T, pairs []pair, git []changed) {
	t.Helper()
	var ours, theirs changed
	worst, excess := "none is larger", 0.0
	for i, p := range pairs {
		d := textdiff.Unified(names, p.old, p.new, textdiff.ContextLines, limit)
		got, want := changed{d.Added, d.Removed}, git[i]
		if got.added-got.removed != want.added-want.removed {
			t.Errorf("%s: +%d -%d, and git says +%d -%d", p.name, got.added, got.removed, want.added, want.removed)
		}
		if lines := int64(bytes.Count(p.old, []byte{'\n'})); lines < smallText && got.lines() > want.lines() {
			t.Errorf("%s: +%d -%d, more than git's +%d -%d", p.name, got.added, got.removed, want.added, want.removed)
		}
		ours.added, ours.removed = ours.added+got.added, ours.removed+got.removed
		theirs.added, theirs.removed = theirs.added+want.added, theirs.removed+want.removed
		if over := float64(got.lines())/float64(max(want.lines(), 1)) - 1; over > excess {
			worst, excess = fmt.Sprintf("%s: +%d -%d, git +%d -%d (%+.2f %%)", p.name, got.added, got.removed, want.added, want.removed, 100*over), over
		}
	}
	t.Logf("%d pairs: +%d -%d, git +%d -%d; worst pair: %s", len(pairs), ours.added, ours.removed, theirs.added, theirs.removed, worst)
	if 100*ours.added > (100+most)*theirs.added || 100*ours.removed > (100+most)*theirs.removed {
		t.Errorf("more than %d %% above git's", most)
	}
}

// numstat returns what `git diff --minimal --numstat` says of each pair: one
// process for all.
func numstat(t *testing.T, pairs []pair) []changed {
	t.Helper()
	dir := t.TempDir()
	for i, p := range pairs {
		for side, text := range map[string][]byte{"old": p.old, "new": p.new} {
			if err := os.MkdirAll(filepath.Join(dir, side), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, side, fmt.Sprintf("%06d", i)), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd := git(t, "-c", "core.autocrlf=false", "-c", "core.attributesFile=", "diff", "--no-index", "--minimal", "--numstat", "-z",
		"--no-renames", "--no-ext-diff", "--no-textconv", "old", "new")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState.ExitCode() != 1 { // 1: they differ
		t.Fatalf("git diff: %v", err)
	}
	counts := make([]changed, len(pairs))
	// added TAB removed TAB NUL old/name NUL new/name NUL
	for fields := strings.Split(string(out), "\x00"); len(fields) > 3; fields = fields[3:] {
		var c changed
		var i int
		if _, err := fmt.Sscanf(fields[0]+strings.TrimPrefix(fields[2], "new/"), "%d\t%d\t%d", &c.added, &c.removed, &i); err != nil {
			t.Fatalf("git says %q: %v", fields[:3], err)
		}
		counts[i] = c
	}
	return counts
}

func git(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("git")
	if err != nil {
		t.Fatal("git is not installed: it judges the diffs")
	}
	return exec.Command(path, args...)
}
