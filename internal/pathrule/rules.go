package pathrule

import "strings"

// rules is a compiled list of patterns. Most patterns of a long list are plain
// names or extensions; these are looked up, so that only the rest costs time.
type rules struct {
	names    map[string]bool // without wildcard
	suffixes map[string]bool // the .ext of each `*.ext`
	longest  int             // length of the longest of suffixes
	rest     []matcher

	dirNames map[string]bool // of patterns with a final slash, without it
	dirRest  []matcher
}

func newRules(patterns []string) rules {
	r := rules{names: map[string]bool{}, suffixes: map[string]bool{}, dirNames: map[string]bool{}}
	for _, pattern := range patterns {
		dir, isDir := strings.CutSuffix(pattern, "/")
		suffix, isSuffix := strings.CutPrefix(pattern, "*")
		switch {
		case isDir && !wild(dir):
			r.dirNames[dir] = true
		case isDir:
			r.dirRest = append(r.dirRest, compile(dir))
		case !wild(pattern):
			r.names[pattern] = true
		// The dot makes sure that the suffix begins where a character does.
		case isSuffix && strings.HasPrefix(suffix, ".") && !wild(suffix):
			r.suffixes[suffix] = true
			r.longest = max(r.longest, len(suffix))
		default:
			r.rest = append(r.rest, compile(pattern))
		}
	}
	return r
}

func wild(pattern string) bool { return strings.ContainsAny(pattern, "*?[") }

// entry reports whether a pattern without final slash matches rel or its base
// name.
func (r *rules) entry(rel string) bool {
	base := baseName(rel)
	if r.names[rel] || r.names[base] || r.suffix(rel) {
		return true
	}
	for _, m := range r.rest {
		if m.Match(rel) || len(base) < len(rel) && m.Match(base) {
			return true
		}
	}
	return false
}

// suffix looks up what follows each dot of rel, the dot included. What the base
// name ends in, rel ends in.
func (r *rules) suffix(rel string) bool {
	tail := rel[max(0, len(rel)-r.longest):]
	for {
		dot := strings.IndexByte(tail, '.')
		if dot < 0 {
			return false
		}
		if r.suffixes[tail[dot:]] {
			return true
		}
		tail = tail[dot+1:]
	}
}

// dir reports whether a pattern with a final slash matches the directory rel.
func (r *rules) dir(rel string) bool {
	if r.dirNames[rel] {
		return true
	}
	for _, m := range r.dirRest {
		if m.Match(rel) {
			return true
		}
	}
	return false
}

// above reports whether a pattern with a final slash matches a directory above
// rel.
func (r *rules) above(rel string) bool {
	if len(r.dirNames)+len(r.dirRest) == 0 {
		return false
	}
	for dir := range ancestors(rel) {
		if r.dir(dir) {
			return true
		}
	}
	return false
}
