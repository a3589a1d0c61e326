package hub

// keyWindow is how many idempotency keys are remembered: those of the last
// publications that had one. A guess: a publisher repeats what it has not seen
// acknowledged, which is far less; at 255 bytes a key and a topic it is 7 MB.
const keyWindow = 10_000

// scoped is an idempotency key within its topic: who may publish on one topic can
// neither take the keys of another nor learn of its events.
type scoped struct{ topic, key string }

// keys remembers the answers given for the newest idempotency keys.
type keys struct {
	answers map[scoped]Receipt
	ring    []scoped // the keys in the order of their first use, from next on
	next    int      // where the oldest stands, to be replaced
}

func newKeys(window int) keys {
	return keys{answers: map[scoped]Receipt{}, ring: make([]scoped, window)}
}

// find returns the answer given for a key.
func (k *keys) find(key scoped) (Receipt, bool) {
	r, ok := k.answers[key]
	return r, ok
}

// add remembers an answer; the oldest is forgotten for it.
func (k *keys) add(topic, name string, r Receipt) {
	if name == "" {
		return
	}
	key := scoped{topic, name}
	delete(k.answers, k.ring[k.next])
	k.ring[k.next] = key
	k.next = (k.next + 1) % len(k.ring)
	k.answers[key] = r
}
