package hub

import (
	"slices"
	"strings"
)

// index knows who subscribes to what. It has no entry for what nobody subscribes
// to (hub case 51).
type index struct {
	exact    map[string]*members
	patterns node
}

// members are the subscriptions of one topic or pattern.
type members struct {
	name string
	list []*Subscription
}

// entry is a subscription's place in one list.
type entry struct {
	of *members
	at int
}

// node is a segment of the patterns, in a tree by segment: a publication costs as
// many steps as its topic has segments, however many patterns there are.
type node struct {
	next map[string]*node
	here *members // of the pattern that ends here
}

func newIndex() index { return index{exact: map[string]*members{}} }

func (x *index) add(s *Subscription, names []string) {
	s.entries = make([]entry, 0, len(names))
	for _, name := range names {
		m := x.members(name)
		s.entries = append(s.entries, entry{m, len(m.list)})
		m.list = append(m.list, s)
	}
}

// members returns the list of a name, made where there is none.
func (x *index) members(name string) *members {
	if !isPattern(name) {
		m := x.exact[name]
		if m == nil {
			m = &members{name: strings.Clone(name)} // the name may be a piece of a long URL
			x.exact[m.name] = m
		}
		return m
	}
	n := &x.patterns
	for segment := range strings.SplitSeq(name, ".") {
		child := n.next[segment]
		if child == nil {
			if child = (&node{}); n.next == nil {
				n.next = map[string]*node{}
			}
			n.next[strings.Clone(segment)] = child
		}
		n = child
	}
	if n.here == nil {
		n.here = &members{name: strings.Clone(name)}
	}
	return n.here
}

func (x *index) remove(s *Subscription) {
	for _, e := range s.entries {
		m := e.of
		last := len(m.list) - 1
		if moved := m.list[last]; moved != s {
			m.list[e.at] = moved
			i := slices.Index(moved.entries, entry{m, last})
			moved.entries[i].at = e.at
		}
		m.list[last] = nil
		m.list = m.list[:last]
		switch {
		case last > 0:
		case isPattern(m.name):
			x.patterns.remove(strings.Split(m.name, "."))
		default:
			delete(x.exact, m.name)
		}
	}
	s.entries = nil
}

// remove takes a pattern's list out, and the nodes that nobody needs any more.
func (n *node) remove(segments []string) {
	if len(segments) == 0 {
		n.here = nil
		return
	}
	child := n.next[segments[0]]
	child.remove(segments[1:])
	if child.here == nil && len(child.next) == 0 {
		delete(n.next, segments[0])
	}
}

// each calls do with every subscription that matches a topic, those with several
// matching names more than once.
func (x *index) each(topic string, do func(*Subscription)) {
	if m := x.exact[topic]; m != nil {
		for _, s := range m.list {
			do(s)
		}
	}
	if len(x.patterns.next) > 0 {
		x.patterns.each(topic, do)
	}
}

func (n *node) each(topic string, do func(*Subscription)) {
	segment, rest, more := strings.Cut(topic, ".")
	if tail := n.next[anyRest]; tail != nil {
		tail.visit(do)
	}
	for _, name := range [...]string{segment, anyOne} {
		child := n.next[name]
		switch {
		case child == nil:
		case more:
			child.each(rest, do)
		default:
			child.visit(do)
		}
	}
}

func (n *node) visit(do func(*Subscription)) {
	if n.here != nil {
		for _, s := range n.here.list {
			do(s)
		}
	}
}

// count returns how many subscriptions match a topic, each once (hub case 45).
func (x *index) count(topic string, mark uint64) (n int) {
	x.each(topic, func(s *Subscription) {
		if s.counted != mark {
			s.counted = mark
			n++
		}
	})
	return n
}
