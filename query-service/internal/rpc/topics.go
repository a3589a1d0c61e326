package rpc

import (
	"context"
	"time"

	"github.com/obby/go-services/internal/page"
	"github.com/obby/go-services/internal/rpcerr"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
	"github.com/obby/go-services/query-service/internal/query"
)

// topicCursor is the last file of a page. The path is bytes: JSON text would not
// keep one that is not UTF-8.
type topicCursor struct {
	Path   []byte    `json:",omitempty"`
	Latest time.Time `json:",omitzero"`
	Before int64     `json:",omitempty"` // by content: instead of them
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
	args := arguments(req)
	if ok, err := parseToken(req.GetPageToken(), args, &cursor); err != nil {
		return nil, err
	} else if ok {
		q.After, q.Before = &query.TopicFile{Path: string(cursor.Path), Latest: cursor.Latest}, cursor.Before
	}
	found, err := query.TopicFiles(ctx, s.store, q)
	if err != nil {
		return nil, err
	}
	resp := &queryv1.GetTopicFilesResponse{Files: all(found.Files.Items, topicFile), Source: queryv1.TopicSource_TOPIC_SOURCE_SUMMARIES}
	if found.ByContent {
		resp.Source = queryv1.TopicSource_TOPIC_SOURCE_CONTENT
	}
	if found.Files.More {
		resp.NextPageToken, err = page.Token(nextTopic(found), args())
	}
	return resp, err
}

func nextTopic(found query.TopicResults) topicCursor {
	if found.ByContent {
		return topicCursor{Before: found.Before}
	}
	last := found.Files.Items[len(found.Files.Items)-1]
	return topicCursor{Path: []byte(last.Path), Latest: last.Latest}
}
