package watch

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// scan is what is asked of the scan of a directory.
type scan struct {
	queued  bool
	deep    bool // scan the directories below too, also those known and watched
	initial bool // what is found was there before; a pattern now matches it
}

// scan asks for a scan of n. Each directory is a turn of Run's loop, so that a
// large tree holds nothing else up.
func (r *root) scan(n *node, s scan) {
	if !n.queued.queued {
		r.scans = append(r.scans, n)
		n.queued = scan{queued: true, initial: s.initial}
	}
	n.queued.deep = n.queued.deep || s.deep
	n.queued.initial = n.queued.initial && s.initial
}

func (w *Watcher) scanning() bool {
	for _, r := range w.roots {
		if len(r.scans) > 0 {
			return true
		}
	}
	return false
}

// scanNext scans one directory of each root.
func (w *Watcher) scanNext(now time.Time) {
	for _, r := range w.roots {
		if len(r.scans) > 0 {
			n := r.scans[0]
			r.scans = r.scans[1:]
			s := n.queued
			n.queued = scan{}
			r.scanDirectory(n, s, now)
		}
		if len(r.scans) == 0 {
			r.endStart()
		}
	}
}

// scanDirectory watches n first and reads it second: whatever happens in it is
// either read or notified (cases 1, 2, 8).
func (r *root) scanDirectory(n *node, s scan, now time.Time) {
	if !r.tree.attached(n) {
		return
	}
	path := r.tree.pathOf(n)
	err := r.w.notify.watch(path, n.info.id)
	if errors.Is(err, errReplaced) {
		r.settleDirectory(n, path, now)
		return
	}
	entries, readErr := os.ReadDir(path)
	if gone(readErr) {
		r.settleDirectory(n, path, now)
		return
	}
	if readErr != nil { // also too many open files (case 41): of what is below nothing is known
		r.unwatchable(n, path, readErr)
		return
	}
	delete(r.unread, n)
	if err != nil {
		r.unwatchable(n, path, err)
	} else if r.unwatched[n] != nil {
		delete(r.unwatched, n)
		s.deep = true // nothing is known of what happened below meanwhile
	}
	for _, entry := range entries {
		r.entry(n, path+"/"+entry.Name(), entry, s, now)
	}
	r.missed(n, path, entries, now)
}

// settleDirectory deals with a directory that is not at its path any more. Where
// another one is, the notification that says so asks for its scan; the retry is
// for file systems whose identities do not last, which would be scanned without
// a pause otherwise.
func (r *root) settleDirectory(n *node, path string, now time.Time) {
	if n == r.tree.top {
		r.look(now)
		return
	}
	if in, _ := lstat(path); in.kind == dir {
		r.tree.replace(n, in)
		r.unwatchable(n, path, errReplaced)
		return
	}
	n.hidden = true
	r.settle.add(path, mark{}, now)
}

// entry compares one entry of the directory n with what is known of it.
func (r *root) entry(n *node, path string, entry fs.DirEntry, s scan, now time.Time) {
	isFile := entry.Type().IsRegular() && (r.rules.MatchIn(r.rel(path)) || r.isPatternFile(path))
	if !isFile && !entry.IsDir() {
		return
	}
	in, err := lstat(path)
	switch {
	case gone(err): // missed finds it, or it was never known
	case err != nil: // such as a path longer than the system takes (case 36)
		r.unread[n] = at(path, err)
	case in.kind == dir:
		r.directory(path, in, s)
	case in.kind == file && isFile:
		r.found(n, entry.Name(), path, in, s, now)
	}
}

// found makes a file dirty that differs from what is known of it. In the first
// scan it is just remembered.
func (r *root) found(n *node, name, path string, in info, s scan, now time.Time) {
	if r.isPatternFile(path) && r.state != Starting {
		r.settle.add(path, mark{}, now) // to be read again
	}
	known := n.children[name]
	switch {
	case !r.rules.MatchIn(r.rel(path)):
	case known != nil && known.info.same(in) && !r.departed.has(known):
	case known == nil && r.state == Starting:
		r.tree.add(n, name, in)
	default:
		r.settle.add(path, mark{id: in.id, initial: s.initial}, now)
	}
}

// missed makes what is known of the directory n but was not read dirty.
func (r *root) missed(n *node, path string, entries []fs.DirEntry, now time.Time) {
	seen := make(map[string]bool, len(entries))
	for _, entry := range entries {
		seen[entry.Name()] = true
	}
	for _, name := range n.names() {
		if child := n.children[name]; !seen[name] {
			child.hidden = child.info.kind == dir
			r.settle.add(path+"/"+name, mark{}, now)
		}
	}
}

// unwatchable notes why the directory n cannot be watched or read, and has it
// scanned again and again.
func (r *root) unwatchable(n *node, path string, err error) {
	if len(r.unwatched) == 0 { // once, not for every directory
		r.w.log.Warn("directory is scanned again and again", "path", path, "err", cause(err))
		r.retryAt = time.Now().Add(retryEvery)
	}
	r.unwatched[n] = at(path, err)
}
