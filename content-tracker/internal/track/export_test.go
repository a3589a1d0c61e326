package track

// Keep and Joins are the two halves of a retention's plan.
func Keep(r Rule, steps []PastStep) []bool       { return r.keep(steps) }
func Joins(steps []PastStep, kept []bool) []Join { return joins(steps, kept) }
