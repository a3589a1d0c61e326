package rpc

import (
	"context"
	"time"

	"github.com/obby/go-services/internal/page"
	"github.com/obby/go-services/internal/rpcerr"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
	"github.com/obby/go-services/query-service/internal/query"
)

// SearchContent implements queryv1.QueryServiceServer. Its tokens count results:
// where files change between two pages, a result may come twice or not at all.
func (s *Server) SearchContent(ctx context.Context, req *queryv1.SearchContentRequest) (_ *queryv1.SearchContentResponse, err error) {
	defer s.status(&err)
	q, err := searchQuery(req)
	if err != nil {
		return nil, err
	}
	args := page.Args(req)
	if _, err := page.Parse(req.GetPageToken(), args, &q.Offset); err != nil {
		return nil, err
	}
	q.Limit = max(0, min(q.Limit, query.MaxDepth-q.Offset))
	results, err := s.store.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	offset := q.Offset + len(results.Items)
	results.More = results.More && offset < query.MaxDepth
	token, err := nextToken(results, args, func(query.Result) any { return offset })
	return &queryv1.SearchContentResponse{Results: all(results.Items, result), NextPageToken: token}, err
}

func searchQuery(req *queryv1.SearchContentRequest) (q query.SearchQuery, err error) {
	if q.Words, err = query.ParseWords(req.GetQuery()); err != nil {
		return q, invalid("query", err)
	}
	if q.Prefix, err = readPrefix("path_prefix", req.GetPathPrefix(), req.GetRawPathPrefix()); err != nil {
		return q, err
	}
	q.Limit, err = page.Size(req.GetPageSize(), query.DefaultResults, query.MaxResults)
	return q, err
}

// topicCursor is the last file of a page. The path is bytes: JSON text would not
// keep one that is not UTF-8.
type topicCursor struct {
	Path   []byte
	Latest time.Time
}

// GetTopicFiles implements queryv1.QueryServiceServer.
func (s *Server) GetTopicFiles(ctx context.Context, req *queryv1.GetTopicFilesRequest) (_ *queryv1.GetTopicFilesResponse, err error) {
	defer s.status(&err)
	if req.GetTopic() == "" {
		return nil, rpcerr.Field("topic", "is empty")
	}
	size, err := page.Size(req.GetPageSize(), query.DefaultPage, query.MaxPage)
	if err != nil {
		return nil, err
	}
	q := query.TopicQuery{Topic: req.GetTopic(), Limit: size}
	var cursor topicCursor
	args := page.Args(req)
	if ok, err := page.Parse(req.GetPageToken(), args, &cursor); err != nil {
		return nil, err
	} else if ok {
		q.After = &query.TopicFile{Path: string(cursor.Path), Latest: cursor.Latest}
	}
	files, err := s.store.TopicFiles(ctx, q)
	if err != nil {
		return nil, err
	}
	token, err := nextToken(files, args, func(last query.TopicFile) any { return topicCursor{[]byte(last.Path), last.Latest} })
	return &queryv1.GetTopicFilesResponse{Files: all(files.Items, topicFile), NextPageToken: token}, err
}
