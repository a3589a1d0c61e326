package track

// Keep and Joins are the two halves of a retention's plan.
func Keep(r Rule, steps []PastStep) []bool       { return r.keep(steps) }
func Joins(steps []PastStep, kept []bool) []Join { return joins(steps, kept) }

// RemoveIn removes a file below a folder, where it is still what it was.
func RemoveIn(dir, path string, before Stat) error { return place{path, dir, true}.remove(before) }
