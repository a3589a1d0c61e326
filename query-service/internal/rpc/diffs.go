package rpc

import (
	"context"
	"errors"

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
	args := arguments(req)
	if _, err := parseToken(req.GetPageToken(), args, &q.Before); err != nil {
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
	if err := s.begin(stream.Context(), req, last, &q); err != nil {
		return err
	}
	if req.GetFollow() {
		return s.follow(stream, q, last)
	}
	for d, err := range query.Since(stream.Context(), s.store, q, last) {
		if err == nil {
			err = s.send(stream, query.Event{Diff: &d, At: query.PositionOf(d, last.Database)})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// follow sends steps until the client, or Drain, ends it.
func (s *Server) follow(stream grpc.ServerStreamingServer[queryv1.GetDiffsSinceResponse], q query.DiffQuery, last query.Position) error {
	ctx, stop := context.WithCancelCause(stream.Context())
	defer stop(nil)
	go func() { // ended by stop
		select {
		case <-s.drain:
			stop(errStopping)
		case <-ctx.Done():
		}
	}()
	for event, err := range query.Follow(ctx, s.store, q, last) {
		if err == nil {
			err = s.send(stream, event)
		}
		if err != nil && ctx.Err() != nil {
			return context.Cause(ctx) // not what it did to a statement
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// begin sets where q begins.
func (s *Server) begin(ctx context.Context, req *queryv1.GetDiffsSinceRequest, last query.Position, q *query.DiffQuery) error {
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
		err := query.Resume(ctx, s.store, at, last)
		if errors.Is(err, query.ErrUnknownToken) {
			err = invalid("resume_token", err)
		}
		return err
	}
	return rpcerr.Field("since", "neither since_time nor resume_token is set")
}

// resumeArgs binds resume tokens to the method. A filter may change between two
// calls: a position is one whatever is left out.
var resumeArgs = page.Args(&queryv1.GetDiffsSinceRequest{})

// send sends one event, and waits for a slow client.
func (s *Server) send(stream grpc.ServerStreamingServer[queryv1.GetDiffsSinceResponse], event query.Event) error {
	select {
	case <-s.drain:
		return errStopping
	default:
	}
	token, err := page.Token(event.At, resumeArgs)
	if err != nil {
		return err
	}
	resp := &queryv1.GetDiffsSinceResponse{ResumeToken: token, Heartbeat: event.Diff == nil}
	if event.Diff != nil {
		resp.Diff = diff(*event.Diff)
	}
	return stream.Send(resp)
}
