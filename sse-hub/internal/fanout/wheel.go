//go:build linux

package fanout

import "time"

// slots is how finely the wheel divides a heartbeat.
const slots = 64

// maxTick bounds the time between two looks at the wheel: a token that expires
// ends its stream within a second (hub case 69), and so does a stalled write.
const maxTick = 250 * time.Millisecond

// wheel holds every connection once, in the slot of the time when it is to be
// looked at: no timer for each. What is written meanwhile moves nothing; the look
// finds that there is time yet.
type wheel struct {
	tick  time.Duration
	at    int64 // the last tick that was looked at
	slots [slots][]*Conn
}

func newWheel(heartbeat time.Duration) wheel {
	return wheel{tick: max(time.Millisecond, min(maxTick, heartbeat/(slots-4)))}
}

// add puts a connection where it is looked at in time, at the latest at due.
func (w *wheel) add(c *Conn, due time.Duration) {
	at := max(w.at+1, min(int64(due/w.tick), w.at+slots-1))
	w.slots[at%slots] = append(w.slots[at%slots], c)
}

// turn calls look with the connections whose time has come.
func (w *wheel) turn(now time.Duration, look func(*Conn)) {
	for end := int64(now / w.tick); w.at < end; {
		w.at++
		list := w.slots[w.at%slots]
		w.slots[w.at%slots] = nil
		for _, c := range list {
			look(c)
		}
	}
}

// pop takes up to n connections off.
func (w *wheel) pop(n int) []*Conn {
	for i, list := range w.slots {
		if len(list) > 0 {
			n = min(n, len(list))
			w.slots[i] = list[n:]
			return list[:n]
		}
	}
	return nil
}
