package rpc

import (
	"context"

	"github.com/obby/go-services/internal/rpcerr"
	"github.com/obby/go-services/internal/textdiff"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
	"github.com/obby/go-services/query-service/internal/query"
)

// GetDiff implements queryv1.QueryServiceServer.
func (s *Server) GetDiff(ctx context.Context, req *queryv1.GetDiffRequest) (_ *queryv1.GetDiffResponse, err error) {
	defer s.status(&err)
	path, err := readPrefix("path", req.GetPath(), req.GetRawPath())
	if err != nil {
		return nil, err
	}
	before, err := readSide("old", req.GetOld(), path)
	if err != nil {
		return nil, err
	}
	after, err := readSide("new", req.GetNew(), path)
	if err != nil {
		return nil, err
	}
	lines := int32(textdiff.ContextLines)
	if req.ContextLines != nil {
		lines = req.GetContextLines()
	}
	if lines < 0 || lines > query.MaxContext {
		return nil, rpcerr.Field("context_lines", "%d is out of range: give 0 to %d", lines, query.MaxContext)
	}
	c, err := query.Compare(ctx, s.store, path, before, after, int(lines))
	if err != nil {
		return nil, err
	}
	resp := &queryv1.GetDiffResponse{Diff: c.Diff.Text, LinesAdded: c.Diff.Added, LinesRemoved: c.Diff.Removed}
	if c.Old != nil {
		resp.OldVersion = version(*c.Old)
	}
	if c.New != nil {
		resp.NewVersion = version(*c.New)
	}
	return resp, nil
}

func readSide(field string, side *queryv1.DiffSide, path string) (query.Side, error) {
	switch content := side.GetContent().(type) {
	case *queryv1.DiffSide_VersionId:
		if content.VersionId <= 0 {
			return query.Side{}, rpcerr.Field(field+".version_id", "%d is not the id of a version", content.VersionId)
		}
		return query.Side{Version: content.VersionId}, nil
	case *queryv1.DiffSide_AsOfTime:
		if path == "" {
			return query.Side{}, rpcerr.Field("path", "is empty: a time needs the path that it is asked of")
		}
		at, err := readTime(field+".as_of_time", content.AsOfTime)
		return query.Side{At: at}, err
	}
	return query.Side{}, rpcerr.Field(field, "names nothing: give version_id or as_of_time")
}
