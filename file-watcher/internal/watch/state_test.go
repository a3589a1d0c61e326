package watch

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/pathrule"
)

// version is what an event says of a file besides its path.
type version struct {
	size    int64
	modTime int64
}

// describe writes an event as scripts do.
func (w *world) describe(e *Event) string {
	name := func(path string) string {
		rel, err := filepath.Rel(w.dir, path)
		if err != nil {
			w.t.Fatal(err)
		}
		if quoted := strconv.Quote(rel); quoted != `"`+rel+`"` {
			rel = strings.Trim(quoted, `"`)
		}
		if e.Directory {
			rel += "/"
		}
		return rel
	}
	text := e.Type.String() + " "
	if e.OldPath != "" {
		text += name(e.OldPath) + " -> "
	}
	text += name(e.Path)
	if e.Initial {
		text += " initial"
	}
	if len(w.roots) > 1 {
		text += " by " + w.roots[e.Watch]
	}
	return text
}

// apply does to the state what an event says; what it says must be possible.
func (w *world) apply(e *Event) error {
	state := w.state[e.Watch]
	_, known := state[e.Path]
	now := version{e.Size, e.ModTime.UnixNano()}
	switch e.Type {
	case Created:
		if known && !e.Initial { // else it had been forgotten without a word
			return fmt.Errorf("the file was known")
		}
		state[e.Path] = now
	case Modified:
		if !known {
			return fmt.Errorf("the file was not known")
		}
		state[e.Path] = now
	case Deleted:
		if !known {
			return fmt.Errorf("the file was not known")
		}
		delete(state, e.Path)
	case Renamed:
		return w.applyRename(e, state, now)
	}
	return nil
}

func (w *world) applyRename(e *Event, state map[string]version, now version) error {
	from := state
	if e.oldWatch != "" {
		from = w.state[e.oldWatch]
	}
	if !e.Directory {
		if _, ok := from[e.OldPath]; !ok {
			return fmt.Errorf("the file was not known")
		}
		delete(from, e.OldPath)
		state[e.Path] = now
		return nil
	}
	moved := map[string]version{}
	for path, v := range state {
		if rest, ok := strings.CutPrefix(path, e.OldPath+"/"); ok {
			delete(state, path)
			moved[e.Path+"/"+rest] = v
		}
	}
	if len(moved) == 0 {
		return fmt.Errorf("no file was known below")
	}
	for path, v := range moved {
		if _, ok := state[path]; ok {
			return fmt.Errorf("%s was known", path)
		}
		state[path] = v
	}
	return nil
}

// compareState compares what the events say with the disk.
func (w *world) compareState() error {
	for id, root := range w.roots {
		disk, state, rules := w.walk(root), w.state[id], w.rules(root)
		maps.DeleteFunc(state, func(path string, _ version) bool { // forgotten without a word
			rel, _ := below(filepath.Join(w.dir, root), path)
			return rules != nil && !rules.Match(rel)
		})
		if diff := cmp.Diff(disk, state, cmp.AllowUnexported(version{})); diff != "" {
			return fmt.Errorf("state of %s (-disk +events):\n%s", root, diff)
		}
	}
	return nil
}

// rules returns the patterns that a root was given, or those in its files now.
func (w *world) rules(root string) *pathrule.Set {
	w.t.Helper()
	set, err := w.given[root].compile()
	if set == nil {
		set, err = pathrule.Load(filepath.Join(w.dir, root))
	}
	if err != nil && !gone(err) {
		w.t.Fatal(err)
	}
	return set
}

// walk returns the files of a root that match its patterns.
func (w *world) walk(root string) map[string]version {
	w.t.Helper()
	files := map[string]version{}
	path, rules := filepath.Join(w.dir, root), w.rules(root)
	if in, err := lstat(path); gone(err) || in.kind != dir {
		return files
	}
	err := rules.Walk(context.Background(), path, func(rel string, d fs.DirEntry) error {
		if d.IsDir() {
			return nil
		}
		info, err := d.Info()
		if err == nil {
			files[filepath.Join(path, rel)] = version{info.Size(), info.ModTime().UnixNano()}
		}
		return err
	}, func(rel string, err error) { w.t.Errorf("walk %s: %v", rel, err) })
	if err != nil {
		w.t.Fatal(err)
	}
	return files
}
