//go:build linux

package fanout

import "testing"

// Connections that always have something to write are the queue again and again; it
// needs no more room than they do.
func TestQueueIsBounded(t *testing.T) {
	s := standStill(t, "").shard
	conns := make([]*Conn, 2*turn)
	for i := range conns {
		conns[i] = &Conn{shard: s, closed: true}
		conns[i].enqueue(false)
	}
	for n := range 10_000 {
		s.serveSome()
		for i := range turn {
			conns[(n*turn+i)%len(conns)].enqueue(false)
		}
	}
	if room := cap(s.running); room > 8*len(conns) {
		t.Errorf("%d connections take %d places in the queue", len(conns), room)
	}
}
