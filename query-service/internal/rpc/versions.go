package rpc

import (
	"context"
	"time"

	"github.com/obby/go-services/internal/page"
	"github.com/obby/go-services/internal/rpcerr"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
	"github.com/obby/go-services/query-service/internal/query"
)

// GetFileVersions implements queryv1.QueryServiceServer.
func (s *Server) GetFileVersions(ctx context.Context, req *queryv1.GetFileVersionsRequest) (_ *queryv1.GetFileVersionsResponse, err error) {
	defer s.status(&err)
	q, err := versionQuery(req)
	if err != nil {
		return nil, err
	}
	args := arguments(req)
	if _, err := parseToken(req.GetPageToken(), args, &q.Before); err != nil {
		return nil, err
	}
	versions, err := s.store.Versions(ctx, q)
	if err != nil {
		return nil, err
	}
	resp := &queryv1.GetFileVersionsResponse{Versions: all(versions.Items, func(m query.Made) *queryv1.Version { return version(m.Version) })}
	if versions.More {
		resp.NextPageToken, err = page.Token(versions.Next, args())
	}
	return resp, err
}

func versionQuery(req *queryv1.GetFileVersionsRequest) (q query.VersionQuery, err error) {
	if q.Filter, err = readFilter(req.GetFilter()); err != nil {
		return q, err
	}
	if q.Path, err = readPrefix("path", req.GetPath(), req.GetRawPath()); err != nil {
		return q, err
	}
	if q.Path == "" && q.Prefix == "" && q.Glob == nil {
		return q, rpcerr.Field("path", "is empty: give the path of a file, or path_prefix or path_glob in filter")
	}
	q.Limit, err = page.Size(req.GetPageSize(), query.DefaultPage, query.MaxPage)
	return q, err
}

// GetVersionContent implements queryv1.QueryServiceServer.
func (s *Server) GetVersionContent(ctx context.Context, req *queryv1.GetVersionContentRequest) (_ *queryv1.GetVersionContentResponse, err error) {
	defer s.status(&err)
	if req.GetVersionId() <= 0 {
		return nil, rpcerr.Field("version_id", "%d is not the id of a version", req.GetVersionId())
	}
	v, content, err := s.store.Content(ctx, req.GetVersionId())
	if err != nil {
		return nil, err
	}
	return &queryv1.GetVersionContentResponse{Version: version(v), Content: content}, nil
}

// ListFiles implements queryv1.QueryServiceServer.
func (s *Server) ListFiles(ctx context.Context, req *queryv1.ListFilesRequest) (_ *queryv1.ListFilesResponse, err error) {
	defer s.status(&err)
	folder, err := readPath("path", req.GetPath(), req.GetRawPath())
	if err != nil {
		return nil, err
	}
	at, err := readTime("as_of_time", req.GetAsOfTime())
	if err != nil {
		return nil, err
	}
	if at.IsZero() {
		at = s.now()
	}
	size, err := page.Size(req.GetPageSize(), query.DefaultPage, query.MaxPage)
	if err != nil {
		return nil, err
	}
	// The paths of a listing as of now go on as of the same moment.
	from := struct {
		After []byte
		At    time.Time
	}{At: at}
	args := arguments(req)
	if _, err := parseToken(req.GetPageToken(), args, &from); err != nil {
		return nil, err
	}
	files, err := s.store.FilesAt(ctx, folder, from.At, string(from.After), size)
	if err != nil {
		return nil, err
	}
	token, err := nextToken(files, args, func(last query.Version) any {
		from.After = []byte(last.Path)
		return from
	})
	return &queryv1.ListFilesResponse{Files: all(files.Items, version), NextPageToken: token}, err
}

// ListLabels implements queryv1.QueryServiceServer.
func (s *Server) ListLabels(ctx context.Context, req *queryv1.ListLabelsRequest) (_ *queryv1.ListLabelsResponse, err error) {
	defer s.status(&err)
	below, err := readPrefix("path_prefix", req.GetPathPrefix(), req.GetRawPathPrefix())
	if err != nil {
		return nil, err
	}
	size, err := page.Size(req.GetPageSize(), query.DefaultPage, query.MaxPage)
	if err != nil {
		return nil, err
	}
	var before int64
	args := arguments(req)
	if _, err := parseToken(req.GetPageToken(), args, &before); err != nil {
		return nil, err
	}
	marked, err := s.store.Labels(ctx, below, before, size)
	if err != nil {
		return nil, err
	}
	token, err := nextToken(marked, args, func(last query.Marked) any { return last.ID })
	return &queryv1.ListLabelsResponse{
		Versions: all(marked.Items, func(m query.Marked) *queryv1.Version { return version(m.Version) }), NextPageToken: token,
	}, err
}
