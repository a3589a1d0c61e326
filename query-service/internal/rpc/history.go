package rpc

import (
	"context"
	"unicode/utf8"

	"github.com/obby/go-services/internal/page"
	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/rpcerr"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
	"github.com/obby/go-services/query-service/internal/query"
)

// SearchHistory implements queryv1.QueryServiceServer.
func (s *Server) SearchHistory(ctx context.Context, req *queryv1.SearchHistoryRequest) (_ *queryv1.SearchHistoryResponse, err error) {
	defer s.status(&err)
	q, err := historyQuery(req)
	if err != nil {
		return nil, err
	}
	args := arguments(req)
	var after []byte // JSON text would not keep a path that is not UTF-8
	if _, err := parseToken(req.GetPageToken(), args, &after); err != nil {
		return nil, err
	}
	q.After = string(after)
	found, err := query.SearchHistory(ctx, s.store, q)
	if err != nil {
		return nil, err
	}
	resp := &queryv1.SearchHistoryResponse{Matches: all(found.Matches, historyMatch)}
	if found.Next != "" {
		resp.NextPageToken, err = page.Token([]byte(found.Next), args())
	}
	return resp, err
}

func historyQuery(req *queryv1.SearchHistoryRequest) (q query.HistoryQuery, err error) {
	q = query.HistoryQuery{Text: req.GetText(), IgnoreCase: req.GetIgnoreCase()}
	switch n := utf8.RuneCountInString(q.Text); {
	case n == 0:
		return q, rpcerr.Field("text", "is empty")
	case n > query.MaxText:
		return q, invalid("text", query.ErrTooLong)
	}
	if q.Path, err = readPrefix("path", req.GetPath(), req.GetRawPath()); err != nil {
		return q, err
	}
	if q.Files, err = readFiles(req.GetPathPrefix(), req.GetRawPathPrefix(), req.GetPathGlob()); err != nil {
		return q, err
	}
	q.Limit, err = page.Size(req.GetPageSize(), query.DefaultResults, query.MaxResults)
	return q, err
}

func historyMatch(m query.HistoryMatch) *queryv1.HistoryMatch {
	path, rawPath := rawpath.Split(m.Path)
	return &queryv1.HistoryMatch{
		Path: path, RawPath: rawPath, FirstVersion: version(m.First), LastVersion: version(m.Last), Present: m.Present,
		Changes: all(m.Changes, textChange), Truncated: m.Truncated,
	}
}

func textChange(c query.TextChange) *queryv1.TextChange {
	return &queryv1.TextChange{
		ChangeId: c.ID, ObserveTime: timestamp(c.Observed), CountBefore: c.Before, CountAfter: c.After,
		OldVersionId: c.OldVersion, NewVersionId: c.NewVersion,
	}
}
