package textdiff_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	// smallText is below how many lines a text's diff has to be as small as git's.
	smallText = 5000
	// corpusTexts is how many of Go's texts are edited; corpusBytes bounds each.
	corpusTexts = 600
	corpusBytes = 1 << 20
	// historyPairs bounds the pairs of the history, the newest first.
	historyPairs = 2000
)

// history returns the successive versions of every file of this repository that
// was changed by a commit.
func history(t *testing.T) []pair {
	shallow, err := git(t, "rev-parse", "--is-shallow-repository").Output()
	if err != nil || strings.TrimSpace(string(shallow)) != "false" {
		t.Skip("no history here: not a clone of the repository, or a shallow one")
	}
	log, err := git(t, "log", "--raw", "--no-renames", "--no-abbrev", "--diff-filter=M", "--format=", "-z").Output()
	if err != nil {
		t.Fatalf("git log: %v", err)
	}
	var pairs []pair
	var ids strings.Builder
	// :mode mode id id M NUL path NUL
	for fields := strings.Split(string(log), "\x00"); len(fields) > 2 && len(pairs) < historyPairs; fields = fields[2:] {
		words := strings.Fields(fields[0])
		if len(words) != 5 || words[0] != ":100644" && words[0] != ":100755" {
			continue
		}
		pairs = append(pairs, pair{name: fields[1] + " at " + words[3]})
		ids.WriteString(words[2] + "\n" + words[3] + "\n")
	}
	cat := git(t, "cat-file", "--batch")
	cat.Stdin = strings.NewReader(ids.String())
	out, err := cat.Output()
	if err != nil {
		t.Fatalf("git cat-file: %v", err)
	}
	blobs := bufio.NewReader(bytes.NewReader(out))
	for i := range pairs {
		pairs[i].old, pairs[i].new = blob(t, blobs), blob(t, blobs)
	}
	return slices.DeleteFunc(pairs, func(p pair) bool { // git counts no lines of binary files
		return bytes.IndexByte(p.old, 0) >= 0 || bytes.IndexByte(p.new, 0) >= 0
	})
}

// blob reads one answer of `git cat-file --batch`.
func blob(t *testing.T, r *bufio.Reader) []byte {
	t.Helper()
	var id, kind string
	var size int
	if _, err := fmt.Fscanf(r, "%s %s %d\n", &id, &kind, &size); err != nil {
		t.Fatalf("git cat-file: %v", err)
	}
	body := make([]byte, size+1) // and a line feed
	if _, err := io.ReadFull(r, body); err != nil {
		t.Fatal(err)
	}
	return body[:size]
}

// editedTexts returns texts that come with Go, before and after edits: a few in
// most, and in every fifth so many that it is a rewrite.
func editedTexts(t *testing.T) []pair {
	var pairs []pair
	for i, name := range goTexts(t) {
		text := read(t, name)
		edits := 1 + i%4
		if i%5 == 0 {
			edits = 5 + bytes.Count(text, []byte{'\n'})/40
		}
		pairs = append(pairs, pair{name, text, rewritten(uint64(i), text, edits)})
	}
	return pairs
}

// largeTexts returns texts that are too large for the engine, a tenth of Go's
// joined in each, before and after edits.
func largeTexts(t *testing.T) []pair {
	var pairs []pair
	var text []byte
	for i, name := range goTexts(t)[:corpusTexts/2] {
		text = append(text, read(t, name)...)
		if (i+1)%(corpusTexts/10) == 0 {
			pairs = append(pairs, pair{fmt.Sprint("large text ", len(pairs)), text, rewritten(uint64(i), text, i)})
			text = nil
		}
	}
	return pairs
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// goTexts returns the names of texts of a few sorts, spread over the directories.
func goTexts(t *testing.T) []string {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatalf("go env GOROOT: %v", err)
	}
	root := filepath.Join(strings.TrimSpace(string(out)), "src")
	var all []string
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !slices.Contains([]string{".go", ".s", ".md", ".txt", ".html", ".js", ".json"}, filepath.Ext(path)) {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().IsRegular() && info.Size() > 1000 && info.Size() < corpusBytes {
			all = append(all, path)
		}
		return err
	})
	if err != nil || len(all) < corpusTexts {
		t.Fatalf("%d texts in %s: %v", len(all), root, err)
	}
	var some []string
	for i := range corpusTexts {
		some = append(some, all[i*len(all)/corpusTexts])
	}
	return some
}
