package hub

import "errors"

// begin finds the cursor that a request asks for within b.
func (s *Subscription) begin(r *Request, b *Bounds) (err error) {
	s.epoch, s.live = b.Epoch, b.Newest
	cursor, why := Seq(0), Reason("")
	if r.LastID != "" {
		cursor, why = b.place(r.LastID)
	}
	if why != "" {
		s.refuse(why, b)
	}
	if r.LastID == "" || why != "" {
		cursor, err = s.rewind(r.LastCount, b)
	}
	s.cursor, s.caughtUp = cursor, cursor >= b.Newest
	return err
}

func (s *Subscription) refuse(why Reason, b *Bounds) {
	s.reset = &Reset{Reason: why, Newest: FormatID(b.Epoch, b.Newest)}
	if b.Oldest <= b.Newest {
		s.reset.Oldest = FormatID(b.Epoch, b.Oldest)
	}
	s.hub.counts.resets[why].Add(1)
}

// rewind returns the cursor before the n newest events of the topics within b.
func (s *Subscription) rewind(n int, b *Bounds) (Seq, error) {
	end := b.Newest
	for n > 0 && end >= b.Oldest {
		start := max(b.Oldest-1, end-min(end, readEvents))
		wanted, err := s.between(start, end)
		if errors.Is(err, ErrOvertaken) {
			return end, nil // the history ends here by now
		}
		if err != nil {
			return 0, err
		}
		if len(wanted) >= n {
			return wanted[len(wanted)-n] - 1, nil
		}
		n -= len(wanted)
		end = start
	}
	return end, nil
}

// between returns the places of the wanted events after start, up to end.
func (s *Subscription) between(start, end Seq) (wanted []Seq, err error) {
	for start < end {
		events, err := s.hub.log.After(start, int(end-start))
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			if start = e.Seq; s.wants(e) {
				wanted = append(wanted, e.Seq)
			}
		}
	}
	return wanted, nil
}
