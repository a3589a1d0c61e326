package store

import (
	"context"
	"database/sql"

	"github.com/obby/go-services/query-service/internal/query"
)

// Terms implements query.ActivityStore.
func (s *Store) Terms(ctx context.Context, r query.Range, prefix string, limit int) (topics, keywords []query.TermCount, err error) {
	if topics, err = s.terms(ctx, topicMentions, r, prefix, limit); err != nil {
		return nil, nil, err
	}
	keywords, err = s.terms(ctx, keywordMentions, r, prefix, limit)
	return topics, keywords, err
}

func (s *Store) terms(ctx context.Context, mentions string, r query.Range, prefix string, limit int) ([]query.TermCount, error) {
	statement, args := termsStatement(mentions, r, prefix, limit)
	var terms []query.TermCount
	err := s.each(ctx, statement, args, func(rows *sql.Rows) error {
		var t query.TermCount
		err := rows.Scan(&t.Term, &t.Count)
		t.Term = valid(t.Term)
		terms = append(terms, t)
		return err
	})
	return terms, err
}

func termsStatement(mentions string, r query.Range, prefix string, limit int) (string, []any) {
	var w where
	w.during("m.at", r)
	w.below("m.file_path", prefix)
	return "SELECT min(m.term), count(DISTINCT m.entry) AS entries FROM " + mentions + w.String() +
		" GROUP BY m.term COLLATE NOCASE ORDER BY entries DESC, min(m.term) LIMIT ?", append(w.args, limit)
}
