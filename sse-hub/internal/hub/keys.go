package hub

// keyWindow is how many idempotency keys are remembered: those of the last
// publications that had one. A guess: a publisher repeats what it has not seen
// acknowledged, which is far less; at 255 bytes a key it is 4 MB.
const keyWindow = 10_000

// keys remembers the answers given for the newest idempotency keys.
type keys struct {
	answers map[string]Receipt
	ring    []string // the keys in the order of their first use, from next on
	next    int      // where the oldest stands, to be replaced
}

func newKeys(window int) keys {
	return keys{answers: map[string]Receipt{}, ring: make([]string, window)}
}

// find returns the answer given for a key.
func (k *keys) find(key string) (Receipt, bool) {
	r, ok := k.answers[key]
	return r, ok
}

// add remembers an answer; the oldest is forgotten for it.
func (k *keys) add(key string, r Receipt) {
	if key == "" {
		return
	}
	delete(k.answers, k.ring[k.next])
	k.ring[k.next] = key
	k.next = (k.next + 1) % len(k.ring)
	k.answers[key] = r
}
