package rpc

import (
	"context"

	"google.golang.org/grpc"

	"github.com/obby/go-services/internal/page"
	"github.com/obby/go-services/internal/rpcerr"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
	"github.com/obby/go-services/query-service/internal/query"
)

// GetRecentDiffs implements queryv1.QueryServiceServer.
func (s *Server) GetRecentDiffs(ctx context.Context, req *queryv1.GetRecentDiffsRequest) (_ *queryv1.GetRecentDiffsResponse, err error) {
	defer s.status(&err)
	q, err := diffQuery(req.GetFilter(), req.GetView())
	if err != nil {
		return nil, err
	}
	if q.Limit, err = page.Size(req.GetPageSize(), query.DefaultPage, query.MaxPage); err != nil {
		return nil, err
	}
	args := page.Args(req)
	if _, err := page.Parse(req.GetPageToken(), args, &q.Before); err != nil {
		return nil, err
	}
	diffs, err := s.store.Diffs(ctx, q)
	if err != nil {
		return nil, err
	}
	token, err := nextToken(diffs, args, func(last query.Diff) any { return last.ID })
	return &queryv1.GetRecentDiffsResponse{Diffs: all(diffs.Items, diff), NextPageToken: token}, err
}

func diffQuery(f *queryv1.DiffFilter, view queryv1.DiffView) (query.DiffQuery, error) {
	filter, err := readFilter(f)
	if err != nil {
		return query.DiffQuery{}, err
	}
	text, err := readView(view)
	return query.DiffQuery{Filter: filter, WithText: text}, err
}

// GetDiffsSince implements queryv1.QueryServiceServer.
func (s *Server) GetDiffsSince(req *queryv1.GetDiffsSinceRequest, stream grpc.ServerStreamingServer[queryv1.GetDiffsSinceResponse]) (err error) {
	defer s.status(&err)
	q, err := diffQuery(req.GetFilter(), req.GetView())
	if err != nil {
		return err
	}
	last, err := s.store.Last(stream.Context())
	if err != nil {
		return err
	}
	if err := begin(req, last, &q); err != nil {
		return err
	}
	for d, err := range query.Since(stream.Context(), s.store, q, last) {
		if err == nil {
			err = s.send(stream, d, last.Database)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// begin sets where q begins.
func begin(req *queryv1.GetDiffsSinceRequest, last query.Position, q *query.DiffQuery) error {
	switch since := req.GetSince().(type) {
	case *queryv1.GetDiffsSinceRequest_SinceTime:
		t, err := readTime("since_time", since.SinceTime)
		q.Range = q.Range.Since(t)
		return err
	case *queryv1.GetDiffsSinceRequest_ResumeToken:
		var at query.Position
		if ok, err := page.Parse(since.ResumeToken, resumeArgs, &at); !ok || err != nil {
			return invalid("resume_token", query.ErrUnknownToken)
		}
		q.After = at.ID
		return invalid("resume_token", at.Check(last))
	}
	return rpcerr.Field("since", "neither since_time nor resume_token is set")
}

// resumeArgs binds resume tokens to the method. A filter may change between two
// calls: a position is one whatever is left out.
var resumeArgs = page.Args(&queryv1.GetDiffsSinceRequest{})

// send sends one step, and waits for a slow client.
func (s *Server) send(stream grpc.ServerStreamingServer[queryv1.GetDiffsSinceResponse], d query.Diff, database string) error {
	select {
	case <-s.drain:
		return errStopping
	default:
	}
	token, err := page.Token(query.Position{ID: d.ID, Database: database}, resumeArgs)
	if err != nil {
		return err
	}
	return stream.Send(&queryv1.GetDiffsSinceResponse{Diff: diff(d), ResumeToken: token})
}
