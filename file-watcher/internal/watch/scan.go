package watch

import (
	"errors"
	"fmt"
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
		if len(r.scans) > 0 || len(r.poll.round) > 0 {
			return true
		}
	}
	return false
}

// scanNext scans one directory of each root.
func (w *Watcher) scanNext(now time.Time) {
	for _, r := range w.roots {
		switch {
		case len(r.scans) > 0:
			n := r.scans[0]
			r.scans = r.scans[1:]
			s := n.queued
			n.queued = scan{}
			r.scanDirectory(n, s, now)
		case len(r.poll.round) > 0:
			r.pollNext(now)
		}
		if len(r.scans) == 0 {
			r.endStart()
		}
	}
}

// scanDirectory watches n first and reads it second: whatever happens in it is
// either read or notified (cases 1, 2, 8).
func (r *root) scanDirectory(n *node, s scan, now time.Time) {
	if !r.tree.holds(n) {
		return
	}
	path := r.tree.pathOf(n)
	err := r.watchDirectory(n, path)
	if errors.Is(err, errReplaced) {
		r.settleDirectory(n, path, now)
		return
	}
	was, readErr := lstat(path) // before it is read: what comes later shows
	if r.method == Poll && was.kind == dir && was.id != n.info.id {
		r.replace(n, was) // there is a watch that would have told otherwise
	}
	var entries []fs.DirEntry
	if readErr == nil && was.kind == dir { // else a symlink would be followed
		entries, readErr = os.ReadDir(path)
	}
	if gone(readErr) || (readErr == nil && was.kind != dir) {
		r.settleDirectory(n, path, now)
		return
	}
	if readErr != nil { // also too many open files (case 41): of what is below nothing is known
		r.unwatchable(n, path, readErr, now)
		return
	}
	delete(r.unread, n)
	switch {
	case err != nil:
		r.unwatchable(n, path, err, now)
	case r.method == Poll:
		r.poll.add(n, nil, now)
	case r.polls(n):
		r.poll.drop(n)
		s.deep = true // nothing is known of what happened below meanwhile
	}
	r.poll.listed(n, was, now)
	r.w.tidy.worked(1+len(entries), now)
	for _, entry := range entries {
		r.entry(n, path+"/"+entry.Name(), entry, s, now)
	}
	r.missed(n, entries, now)
}

// watchDirectory has the kernel watch n, unless it does or the root is polled.
// errReplaced: another directory has taken its place, or none.
func (r *root) watchDirectory(n *node, path string) error {
	if n.handle != 0 || r.method == Poll {
		return nil
	}
	if why := r.unnotified(n, path); why != "" {
		return fmt.Errorf("%w: %s", errUnnotified, why)
	}
	h, err := r.w.notify.watch(path)
	if gone(err) {
		return errReplaced
	}
	if err != nil {
		return err
	}
	// The directory may have been replaced since the caller looked.
	if in, err := lstat(path); err != nil || in.id != n.info.id {
		r.w.handles.unused(h)
		return errReplaced
	}
	r.w.handles.own(h, n)
	return nil
}

// unnotified says why the kernel does not notify of changes in n, where a file
// system of another kind is mounted inside the root.
func (r *root) unnotified(n *node, path string) string {
	device := n.info.id.dev
	if device == r.tree.top.info.id.dev || !r.choose {
		return ""
	}
	why, known := r.devices[device]
	if !known {
		why = r.w.facts(path).pollReason()
		r.devices[device] = why
	}
	return why
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
		r.replace(n, in)
		r.unwatchable(n, path, errReplaced, now)
		return
	}
	n.hidden = true
	r.settle.add(place{n.parent, n.name}, mark{}, now)
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
		r.directory(n, entry.Name(), path, in, s)
	case in.kind == file && isFile:
		r.found(n, entry.Name(), path, in, s, now)
	}
}

// found makes a file dirty that differs from what is known of it. In the first
// scan it is just remembered.
func (r *root) found(n *node, name, path string, in info, s scan, now time.Time) {
	e := place{n, name}
	if r.isPatternFile(path) && r.state != Starting {
		r.settle.add(e, mark{}, now) // to be read again
	}
	known := n.children[name]
	switch {
	case !r.rules.MatchIn(r.rel(path)):
	case known != nil && known.info.kind == file && r.method == Poll && !r.departed.has(known):
		r.polled(known, e, in, now)
	case known != nil && known.info.same(in) && !r.departed.has(known):
	case known == nil && r.state == Starting:
		r.tree.add(n, name, in)
	default:
		r.settle.add(e, mark{id: in.id, initial: s.initial}, now)
	}
}

// missed makes what is known of the directory n but was not read dirty: there is
// nothing of its name, or something of another kind, such as a symlink.
func (r *root) missed(n *node, entries []fs.DirEntry, now time.Time) {
	if len(n.children) == 0 {
		return
	}
	read := make(map[string]kind, len(entries))
	for _, entry := range entries {
		read[entry.Name()] = kindOf(entry.Type())
	}
	for _, name := range n.names() {
		if child := n.children[name]; read[name] != child.info.kind {
			child.hidden = child.info.kind == dir
			r.settle.add(place{n, name}, mark{}, now)
		}
	}
}

func kindOf(mode fs.FileMode) kind {
	switch {
	case mode.IsDir():
		return dir
	case mode.IsRegular():
		return file
	}
	return special
}

// unwatchable notes why the directory n cannot be watched or read, and has it
// visited again and again.
func (r *root) unwatchable(n *node, path string, err error, now time.Time) {
	if len(r.poll.why) == 0 { // once, not for every directory
		r.w.log.Warn("directory is polled instead of watched", "path", path, "err", cause(err))
	}
	r.poll.add(n, at(path, err), now)
}
