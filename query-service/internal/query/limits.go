package query

import (
	"path"
	"strings"
)

// Limits of the lists.
const (
	DefaultPage    = 50
	MaxPage        = 1000
	DefaultResults = 20
	MaxResults     = 100
	DefaultLines   = 3
	MaxLines       = 20
	MaxAround      = 10
	DefaultList    = 10
	MaxList        = 100

	// MaxText is the longest text that is looked for, and the longest pattern, in
	// characters.
	MaxText = 1000
	// MaxDepth is how many of a search's results are served. They are ordered by
	// relevance, which no index holds: each page ranks all those before it. Who
	// wants the thousand-and-first should add a word.
	MaxDepth = 1000
	// MaxBuckets bounds the buckets of an analysis.
	MaxBuckets = 10_000
	// MaxTerms bounds the topics and keywords of an analysis.
	MaxTerms = 20
	// StreamPage is how many steps a stream reads at once.
	StreamPage = 500
)

// Sizes, in bytes.
const (
	// PageBytes is what the items of a page may take. A client that leaves its
	// limit alone refuses a message of 4 MiB (case 51).
	PageBytes = 3 << 20
	// MaxDiffText is what is returned of a diff: with two paths of the longest
	// kind it still fits into a page.
	MaxDiffText = PageBytes - 64<<10
	// MaxContent is what is returned of a content, beneath the 16 MiB that both
	// ends accept.
	MaxContent = 15 << 20
)

// CleanPath returns the one form in which a path is recorded.
func CleanPath(p string) (string, error) {
	if !strings.HasPrefix(p, "/") {
		return "", ErrNotAbsolute
	}
	return path.Clean(p), nil
}

// Below reports whether a path is prefix or below it; every path is below "".
func Below(p, prefix string) bool {
	prefix = strings.TrimSuffix(prefix, "/")
	rest, ok := strings.CutPrefix(p, prefix)
	return ok && (rest == "" || rest[0] == '/')
}
