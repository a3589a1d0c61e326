package pathrule

// class is a bracket expression of a pattern.
type class struct {
	negated bool
	spans   []span
}

// span is a range of characters, or one where lo and hi are equal.
type span struct{ lo, hi rune }

// parseClass reads the text between the brackets, which is not empty. A hyphen
// between two characters makes a range, any other is a member (case 58); a range
// that runs backwards is dropped (case 59).
func parseClass(text []rune) *class {
	c := &class{negated: text[0] == '!'}
	if c.negated {
		text = text[1:]
	}
	for len(text) > 0 {
		s, size := span{text[0], text[0]}, 1
		if len(text) > 2 && text[1] == '-' {
			s.hi, size = text[2], 3
		}
		text = text[size:]
		if s.lo <= s.hi {
			c.spans = append(c.spans, s)
		}
	}
	c.negateLate()
	return c
}

// negateLate follows Python into a corner: it looks for the `!` of a negation
// after it has dropped the backward ranges, so `[z-a!x]` is `[!x]`. Where that
// `!` began a range, `[z-a!-c]`, the hyphen is left over and is a member.
func (c *class) negateLate() {
	if c.negated || len(c.spans) == 0 || c.spans[0].lo != '!' {
		return
	}
	c.negated = true
	if hi := c.spans[0].hi; hi != '!' {
		c.spans = append(c.spans, span{'-', '-'}, span{hi, hi})
	}
	c.spans = c.spans[1:]
}

func (c *class) has(char rune) bool {
	for _, s := range c.spans {
		if s.lo <= char && char <= s.hi {
			return !c.negated
		}
	}
	return c.negated
}
