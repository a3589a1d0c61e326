package watch

import "time"

// pairWait is how long a file that has vanished waits for its other half, the
// same file under another name, before it is reported as deleted. Both halves of
// a rename are touched in the same instant and mostly settle together; the wait
// covers the batch boundary between them. A guess.
const pairWait = 100 * time.Millisecond

// departed holds the files that subscribers know and that are gone, until each
// is found again, back or under another name, or its wait is over.
type departed struct {
	since map[*node]time.Time
	byID  map[ident]*node
	queue []departure // in the order in which they run out; some are obsolete
}

type departure struct {
	n     *node
	since time.Time
}

func newDeparted() *departed {
	return &departed{since: map[*node]time.Time{}, byID: map[ident]*node{}}
}

// add begins, or begins again, the wait of n.
func (d *departed) add(n *node, now time.Time) {
	d.since[n], d.byID[n.info.id] = now, n
	d.queue = append(d.queue, departure{n, now})
}

// has reports whether n waits.
func (d *departed) has(n *node) bool {
	_, ok := d.since[n]
	return ok
}

// drop ends the wait of n, if it waits.
func (d *departed) drop(n *node) {
	delete(d.since, n)
	if d.byID[n.info.id] == n {
		delete(d.byID, n.info.id)
	}
}

// find returns the waiting file id, nil where there is none.
func (d *departed) find(id ident) *node { return d.byID[id] }

// expired removes and returns the files whose wait was over at now.
func (d *departed) expired(now time.Time) []*node {
	return d.take(func(since time.Time) bool { return !now.Before(since.Add(pairWait)) })
}

// all removes and returns every file.
func (d *departed) all() []*node { return d.take(func(time.Time) bool { return true }) }

func (d *departed) take(over func(since time.Time) bool) []*node {
	var out []*node
	for len(d.queue) > 0 && over(d.queue[0].since) {
		head := d.queue[0]
		d.queue = d.queue[1:]
		if d.current(head) {
			d.drop(head.n)
			out = append(out, head.n)
		}
	}
	return out
}

// next returns when expired has something to return; zero for never.
func (d *departed) next() time.Time {
	for len(d.queue) > 0 && !d.current(d.queue[0]) {
		d.queue = d.queue[1:]
	}
	if len(d.queue) == 0 {
		return time.Time{}
	}
	return d.queue[0].since.Add(pairWait)
}

func (d *departed) current(e departure) bool {
	since, ok := d.since[e.n]
	return ok && since.Equal(e.since)
}

func (d *departed) len() int { return len(d.since) }
