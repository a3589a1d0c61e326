package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/obby/go-services/query-service/internal/query"
)

// termsAge is for how long summaries are kept in memory: that long a row that was
// changed in place, which is told by nothing, counts as it was.
const termsAge = time.Minute

// maxMentions bounds what is kept, 8 bytes each; of more, they are read each time.
const maxMentions = 1 << 20

// terms is the summaries' topics and keywords as they were at a time. To read a hundred
// thousand takes longer than to count a million steps, and hardly ever have they changed.
type terms struct {
	stamp            string // of their tables
	read             time.Time
	entries          []entry
	topics, keywords vocabulary
}

// entry is what a range and a prefix ask of a summary.
type entry struct {
	at   int64
	path string
}

// vocabulary is the terms of one kind, and who bears them.
type vocabulary struct {
	texts  []string // in order; some differ in the case of their letters alone
	groups []int32  // by text: a number that such texts share
	uses   []use
}

// use is a text that an entry bears; of a group the least one.
type use struct{ entry, text int32 }

// termCache keeps the terms of the present database.
type termCache struct {
	mu   sync.Mutex // guards kept, and lets one caller read for all
	kept *terms
}

// forget lets go of the terms: the database is another one.
func (c *termCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = nil
}

// Terms implements query.ActivityStore.
func (s *Store) Terms(ctx context.Context, r query.Range, prefix string, limit int) (topics, keywords []query.TermCount, err error) {
	t, err := s.currentTerms(ctx)
	if err != nil {
		return nil, nil, err
	}
	first, last := r.Micros()
	in := make([]bool, len(t.entries))
	for i, e := range t.entries {
		in[i] = first <= e.at && e.at <= last && (prefix == "" || e.path != "" && query.Below(e.path, prefix))
	}
	count := func(v vocabulary, statement string) ([]query.TermCount, error) {
		analyses, err := s.analyses(ctx, statement, first, last, prefix)
		if err != nil {
			return nil, err
		}
		return mostFrequent(limit, v.count(in), analyses), nil
	}
	if topics, err = count(t.topics, selectAnalysisTopics); err == nil {
		keywords, err = count(t.keywords, selectAnalysisKeywords)
	}
	return topics, keywords, err
}

const selectTermsStamp = `SELECT (SELECT count(*) FROM semantic_entries) || ' ' || (SELECT ifnull(max(id), 0) FROM semantic_entries) || ' ' ||
	(SELECT count(*) FROM semantic_topics) || ' ' || (SELECT ifnull(max(entry_id), 0) FROM semantic_topics) || ' ' ||
	(SELECT count(*) FROM semantic_keywords) || ' ' || (SELECT ifnull(max(entry_id), 0) FROM semantic_keywords)`

// currentTerms returns the terms, from memory unless rows came or went.
func (s *Store) currentTerms(ctx context.Context) (*terms, error) {
	s.terms.mu.Lock()
	defer s.terms.mu.Unlock()
	u, err := s.packed(ctx, selectTermsStamp)
	if err != nil {
		return nil, err
	}
	if t := s.terms.kept; t != nil && t.stamp == u.rest && time.Since(t.read) < termsAge {
		return t, nil
	}
	s.terms.kept = nil
	t, err := s.readTerms(ctx)
	if err != nil {
		return nil, err
	}
	t.stamp = u.rest // before they were read: what came meanwhile is read again
	if len(t.topics.uses)+len(t.keywords.uses) <= maxMentions {
		s.terms.kept = t
	}
	return t, nil
}

var (
	selectEntries = "SELECT " + packed(number("e.id"), text("file"), stamp("e.timestamp")) + ` FROM (
		SELECT id, timestamp, CASE WHEN file_path IS NULL THEN (SELECT v.file_path FROM file_versions v WHERE v.id = version_id) ELSE file_path END AS file
		FROM semantic_entries) e`
	selectEntryTopics   = "SELECT " + packed(number("entry_id"), text("topic")) + " FROM semantic_topics"
	selectEntryKeywords = "SELECT " + packed(number("entry_id"), text("keyword")) + " FROM semantic_keywords"
)

func (s *Store) readTerms(ctx context.Context) (*terms, error) {
	u, err := s.packed(ctx, selectEntries)
	if err != nil {
		return nil, err
	}
	t := &terms{read: time.Now()}
	places := map[int64]int32{}
	for u.more() {
		places[u.number()] = int32(len(t.entries))
		path := strings.Clone(u.path()) // so that the whole text is not kept for it
		t.entries = append(t.entries, entry{path: path, at: u.micros()})
	}
	if u, err = s.packed(ctx, selectEntryTopics); err != nil {
		return nil, err
	}
	t.topics = readVocabulary(u, places)
	if u, err = s.packed(ctx, selectEntryKeywords); err != nil {
		return nil, err
	}
	t.keywords = readVocabulary(u, places)
	return t, nil
}

func readVocabulary(u *unpacker, places map[int64]int32) (v vocabulary) {
	type mention struct {
		entry int32
		text  string
	}
	var mentions []mention
	numbers := map[string]int32{}
	for u.more() {
		place, known := places[u.number()]
		if term := u.valid(); known {
			mentions = append(mentions, mention{place, term})
			numbers[term] = 0
		}
	}
	groups := map[string]int32{}
	for term := range numbers {
		v.texts = append(v.texts, strings.Clone(term))
	}
	slices.Sort(v.texts)
	for i, term := range v.texts {
		numbers[term] = int32(i)
		folded := lowerASCII(term)
		if _, ok := groups[folded]; !ok {
			groups[folded] = int32(len(groups))
		}
		v.groups = append(v.groups, groups[folded])
	}
	for _, m := range mentions {
		v.uses = append(v.uses, use{m.entry, numbers[m.text]})
	}
	slices.SortFunc(v.uses, func(a, b use) int {
		return cmp.Or(cmp.Compare(a.entry, b.entry), cmp.Compare(v.groups[a.text], v.groups[b.text]), cmp.Compare(a.text, b.text))
	})
	v.uses = slices.CompactFunc(v.uses, func(a, b use) bool { return a.entry == b.entry && v.groups[a.text] == v.groups[b.text] })
	return v
}

// lowerASCII folds case as SQLite's NOCASE does, and the contract promises.
func lowerASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, text)
}

// count counts the entries in a selection that bear each group.
func (v vocabulary) count(in []bool) []query.TermCount {
	counts := make([]query.TermCount, len(v.texts)) // by group: there are no more
	for _, u := range v.uses {
		if in[u.entry] {
			c := &counts[v.groups[u.text]]
			if term := v.texts[u.text]; c.Count == 0 || term < c.Term {
				c.Term = term
			}
			c.Count++
		}
	}
	return counts
}

const selectAnalyses = ` FROM (SELECT a.id, a.file_path, a.timestamp, trim(CAST(t.value AS TEXT)) AS term
	FROM semantic_analysis a, ` + splitTerms + `) WHERE term <> ''`

var (
	analysisColumns        = "SELECT " + packed(number("id"), text("file_path"), stamp("timestamp"), text("term"))
	selectAnalysisTopics   = analysisColumns + strings.ReplaceAll(selectAnalyses, "TERM", "topic")
	selectAnalysisKeywords = analysisColumns + strings.ReplaceAll(selectAnalyses, "TERM", "keyword")
)

// analyses counts the rows of semantic_analysis that bear each term. They are read each
// time: their writer changes them in place.
func (s *Store) analyses(ctx context.Context, statement string, first, last int64, prefix string) ([]query.TermCount, error) {
	u, err := s.packed(ctx, statement)
	if err != nil {
		return nil, err
	}
	type bearer struct {
		id     int64
		folded string
	}
	seen := map[bearer]bool{}
	counts := map[string]query.TermCount{}
	for u.more() {
		id, path, at, term := u.number(), u.path(), u.micros(), u.valid()
		if at < first || at > last || prefix != "" && (path == "" || !query.Below(path, prefix)) {
			continue
		}
		b := bearer{id, lowerASCII(term)}
		c := counts[b.folded]
		if c.Count == 0 || term < c.Term {
			c.Term = term
		}
		if !seen[b] {
			seen[b] = true
			c.Count++
		}
		counts[b.folded] = c
	}
	var all []query.TermCount
	for _, c := range counts {
		all = append(all, c)
	}
	return all, nil
}

// mostFrequent adds two lists of counts and returns the most frequent terms.
func mostFrequent(limit int, a, b []query.TermCount) []query.TermCount {
	if len(b) > 0 {
		sum := map[string]query.TermCount{}
		for _, c := range slices.Concat(a, b) {
			folded := lowerASCII(c.Term)
			if other := sum[folded]; other.Count > 0 && c.Count > 0 {
				c = query.TermCount{Term: min(c.Term, other.Term), Count: c.Count + other.Count}
			}
			if c.Count > 0 {
				sum[folded] = c
			}
		}
		a = a[:0]
		for _, c := range sum {
			a = append(a, c)
		}
	}
	a = slices.DeleteFunc(a, func(c query.TermCount) bool { return c.Count == 0 })
	slices.SortFunc(a, func(a, b query.TermCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Term, b.Term))
	})
	return a[:min(limit, len(a))]
}
