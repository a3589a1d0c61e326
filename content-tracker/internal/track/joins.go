package track

// joins returns how the kept steps follow each other without the others. It keeps
// the step before a kept one, too, where else nothing would have changed from one
// to the next: a deletion would be one of nothing, and the file's last content lost.
func joins(steps []PastStep, kept []bool) (out []Join) {
	version := int64(0) // that the step kept before leads to
	for i, s := range steps {
		if movedAway(steps, i) {
			version = 0
		}
		if !kept[i] {
			continue
		}
		if i > 0 && !kept[i-1] && version == s.New && s.Type != Moved {
			kept[i-1] = true
		}
		version = s.New
	}
	version = 0
	gap := false
	for i, s := range steps {
		if movedAway(steps, i) {
			version = 0
		}
		if !kept[i] {
			gap = true
			continue
		}
		if gap && s.Type != Moved && s.Old != version {
			out = append(out, Join{ID: s.ID, Type: typeOf(version, s.New), Old: version})
		}
		version, gap = s.New, false
	}
	return out
}

// movedAway reports whether the path's file went elsewhere before a step: it creates
// what was not deleted. The step that says so is one of the other path.
func movedAway(steps []PastStep, i int) bool {
	return i > 0 && steps[i].Type == Created && steps[i].Old == 0 && steps[i-1].New != 0
}

func typeOf(from, to int64) ChangeType {
	switch {
	case to == 0:
		return Deleted
	case from == 0:
		return Created
	}
	return Modified
}
