package rpc

import (
	"context"
	"errors"
	"strconv"

	"github.com/obby/go-services/internal/page"
	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/rpcerr"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
	"github.com/obby/go-services/query-service/internal/query"
)

// SearchContent implements queryv1.QueryServiceServer. Where files change between
// two pages, a result may come twice or not at all.
func (s *Server) SearchContent(ctx context.Context, req *queryv1.SearchContentRequest) (_ *queryv1.SearchContentResponse, err error) {
	defer s.status(&err)
	q, err := searchQuery(req)
	if err != nil {
		return nil, err
	}
	args := arguments(req)
	if _, err := parseToken(req.GetPageToken(), args, &q.From); err != nil {
		return nil, err
	}
	results, err := query.Search(ctx, s.store, q)
	if err != nil {
		return nil, err
	}
	resp := &queryv1.SearchContentResponse{Results: all(results.Items, result)}
	if results.Next != nil {
		resp.NextPageToken, err = page.Token(results.Next, args())
	}
	return resp, err
}

func searchQuery(req *queryv1.SearchContentRequest) (q query.SearchQuery, err error) {
	if q.Sought, err = readSought(req.GetMode(), req.GetQuery()); err != nil {
		return q, err
	}
	if q.Files, err = searchFilter(req); err != nil {
		return q, err
	}
	if q.Lines, err = count("max_lines", req.GetMaxLines(), query.DefaultLines, query.MaxLines); err != nil {
		return q, err
	}
	if q.Around, err = count("context_lines", req.GetContextLines(), 0, query.MaxAround); err != nil {
		return q, err
	}
	q.Limit, err = page.Size(req.GetPageSize(), query.DefaultResults, query.MaxResults)
	return q, err
}

func readSought(mode queryv1.SearchMode, text string) (query.Sought, error) {
	read, known := searchModes[mode]
	if !known {
		return query.Sought{}, rpcerr.Field("mode", "%v is not a mode", mode)
	}
	sought, err := query.Parse(read, text)
	var mistake *query.SyntaxError
	if errors.As(err, &mistake) {
		return sought, &rpcerr.FieldError{
			Field: "query", Description: mistake.Error(), Metadata: map[string]string{"position": strconv.Itoa(mistake.Position)},
		}
	}
	return sought, invalid("query", err)
}

var searchModes = map[queryv1.SearchMode]query.Mode{
	queryv1.SearchMode_SEARCH_MODE_UNSPECIFIED: query.Plain,
	queryv1.SearchMode_SEARCH_MODE_PLAIN:       query.Plain,
	queryv1.SearchMode_SEARCH_MODE_ADVANCED:    query.Advanced,
	queryv1.SearchMode_SEARCH_MODE_SUBSTRING:   query.Substring,
}

func searchFilter(req *queryv1.SearchContentRequest) (f query.FileFilter, err error) {
	if f, err = readFiles(req.GetPathPrefix(), req.GetRawPathPrefix(), req.GetPathGlob()); err != nil {
		return f, err
	}
	f.Extensions = req.GetExtensions()
	if err := f.CheckExtensions(); err != nil {
		return f, invalid("extensions", err)
	}
	f.Range, err = readRange("", req.GetStartTime(), req.GetEndTime())
	return f, err
}

// readFiles reads which files are asked for.
func readFiles(prefix string, rawPrefix []byte, pattern string) (f query.FileFilter, err error) {
	if f.Prefix, err = readPrefix("path_prefix", prefix, rawPrefix); err != nil {
		return f, err
	}
	f.Pattern = pattern
	return f, invalid("path_glob", f.CheckPattern())
}

// count reads a number of which 0 means the default.
func count(field string, requested int32, def, limit int) (int, error) {
	switch {
	case requested < 0:
		return 0, rpcerr.Field(field, "%d is negative: use 0 for the default of %d", requested, def)
	case requested == 0:
		return def, nil
	}
	return min(int(requested), limit), nil
}

func result(r query.Result) *queryv1.SearchResult {
	path, rawPath := rawpath.Split(r.Path)
	return &queryv1.SearchResult{
		Path: path, RawPath: rawPath, PathHighlights: all(r.Shown.Path, highlight), VersionId: r.Version, Score: r.Score,
		Snippet: r.Snippet.Text, Highlights: all(r.Snippet.Highlights, highlight), Lines: all(r.Lines, matchLine),
		ObserveTime: timestamp(r.Observed),
	}
}

func matchLine(l query.Line) *queryv1.MatchLine {
	return &queryv1.MatchLine{
		LineNumber: l.Number, Text: l.Text, Highlights: all(l.Highlights, highlight), Truncated: l.Truncated,
	}
}

func highlight(h query.Highlight) *queryv1.Highlight {
	return &queryv1.Highlight{Start: int32(h.Start), End: int32(h.End)} // within a line or a path
}
