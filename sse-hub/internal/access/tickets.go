package access

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"
)

// A ticket lives this long, and there are no more than so many at a time. Guesses.
const (
	ticketLife = 10 * time.Second
	maxTickets = 10_000
)

// tickets stand for a grant once.
type tickets struct {
	mu    sync.Mutex // guards what follows
	open  map[string]ticket
	order []string // oldest first
}

type ticket struct {
	grant   *Grant
	expires time.Time
}

// Ticket returns a word that Redeem takes once, within the time that it lives.
func (v *Verifier) Ticket(g *Grant) (word string, lives time.Duration) {
	t := &v.tickets
	word = rand.Text()
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.order) > 0 {
		oldest, open := t.open[t.order[0]]
		if open && now.Before(oldest.expires) && len(t.open) < maxTickets {
			break
		}
		delete(t.open, t.order[0])
		t.order = t.order[1:]
	}
	if t.open == nil {
		t.open = map[string]ticket{}
	}
	t.open[word] = ticket{g, now.Add(ticketLife)}
	t.order = append(t.order, word)
	return word, ticketLife
}

// Redeem returns the grant that a ticket stands for.
func (v *Verifier) Redeem(word string) (*Grant, error) {
	t := &v.tickets
	now := time.Now()
	t.mu.Lock()
	one, ok := t.open[word]
	delete(t.open, word)
	t.mu.Unlock()
	if !ok || !now.Before(one.expires) || !now.Before(one.grant.Expires) {
		return nil, fmt.Errorf("%w: the ticket was used, is too old, or was never given", ErrToken)
	}
	return one.grant, nil
}
