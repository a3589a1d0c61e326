package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/obby/go-services/internal/sqlite"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
)

const service = "/obby.query.v1.QueryService/"

// scenario is a kind of call and what it should reach.
type scenario struct {
	name, method string
	callers      int
	stream       bool
	requests     []proto.Message
	path         string  // asks over HTTP
	perSecond    float64 // at least; 0: no target
	p99          float64 // milliseconds, at most; 0: no target
}

// Callers of quick calls keep both cores busy; of slow ones there are as many as
// cores, or they would only wait for each other.
const (
	many = 16
	few  = 2
)

// variety is how many different requests a scenario has where it can.
const variety = 5000

// one stands for a request that is in the path.
var one = []proto.Message{nil}

// page is the size of a page of versions where files have as many of them in every
// database: a figure that depends on the page is to be compared for equal pages.
const page = 10

// sample is what requests are made of.
type sample struct {
	random   *rand.Rand
	versions int64    // the last one
	paths    []string // files with a page of versions at least
	newest   time.Time
	recent   time.Time // when the last thousand steps began
}

// look takes a sample of a database.
func look(ctx context.Context, path string) (*sample, error) {
	db, err := sqlite.Reader(path)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	s := &sample{random: rand.New(rand.NewPCG(3, 4))}
	var newest, recent string
	err = db.QueryRowContext(ctx, `SELECT max(v.id), (SELECT CAST(timestamp AS TEXT) FROM content_diffs ORDER BY id DESC LIMIT 1),
		(SELECT CAST(timestamp AS TEXT) FROM content_diffs ORDER BY id DESC LIMIT 1 OFFSET 999) FROM file_versions v`).Scan(&s.versions, &newest, &recent)
	if err != nil {
		return nil, err
	}
	s.newest, _ = sqlite.ParseTime(newest)
	s.recent, _ = sqlite.ParseTime(recent)
	s.paths, err = paths(ctx, db)
	return s, err
}

func paths(ctx context.Context, db *sql.DB) (all []string, err error) {
	rows, err := db.QueryContext(ctx, `SELECT file_path FROM file_versions GROUP BY file_path HAVING count(*) >= ?`, page)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var path string
		if err := rows.Scan(&path); err != nil {
			return nil, err
		}
		all = append(all, path)
	}
	return all, rows.Err()
}

// several makes different requests.
func several(request func() proto.Message) (all []proto.Message) {
	for range variety {
		all = append(all, request())
	}
	return all
}

func (s *sample) path() string { return s.paths[s.random.IntN(len(s.paths))] }

// word returns one of the words whose rank is in a range.
func (s *sample) word(low, high int) string { return vocabulary[low+s.random.IntN(high-low)] }

// words returns a query of n words, none of which is rare: they stand together in
// some files.
func (s *sample) words(n int) (query string) {
	for i := range n {
		if i > 0 {
			query += " "
		}
		query += s.word(50, 2000)
	}
	return query
}

func (s *sample) search(mode queryv1.SearchMode, query func() string) []proto.Message {
	return several(func() proto.Message { return &queryv1.SearchContentRequest{Query: query(), Mode: mode} })
}

// scenarios returns every kind of call, made for a database.
func (s *sample) scenarios() []scenario {
	return slices.Concat(s.lists(), s.searches(), s.statistics())
}

func (s *sample) lists() []scenario {
	diffs := func(view queryv1.DiffView, filter *queryv1.DiffFilter) []proto.Message {
		return []proto.Message{&queryv1.GetRecentDiffsRequest{PageSize: 50, View: view, Filter: filter}}
	}
	version := func() int64 { return 1 + s.random.Int64N(s.versions) }
	return []scenario{
		{name: "versions", method: "GetFileVersions", callers: many, perSecond: 10_000, p99: 5, requests: several(func() proto.Message {
			return &queryv1.GetFileVersionsRequest{Path: s.path(), PageSize: page}
		})},
		{name: "content", method: "GetVersionContent", callers: many, perSecond: 10_000, p99: 5, requests: several(func() proto.Message {
			return &queryv1.GetVersionContentRequest{VersionId: version()}
		})},
		{name: "diffs_basic", method: "GetRecentDiffs", callers: many, perSecond: 5000, requests: diffs(queryv1.DiffView_DIFF_VIEW_BASIC, nil)},
		{name: "diffs_full", method: "GetRecentDiffs", callers: many, p99: 10, requests: diffs(queryv1.DiffView_DIFF_VIEW_FULL, nil)},
		{name: "diffs_of_a_folder", method: "GetRecentDiffs", callers: few,
			requests: diffs(queryv1.DiffView_DIFF_VIEW_BASIC, &queryv1.DiffFilter{PathPrefix: "/notes/area-39"})},
		{name: "diffs_deleted", method: "GetRecentDiffs", callers: few, requests: diffs(queryv1.DiffView_DIFF_VIEW_BASIC,
			&queryv1.DiffFilter{ChangeTypes: []queryv1.ChangeType{queryv1.ChangeType_CHANGE_TYPE_DELETED}})},
		{name: "diff", method: "GetDiff", callers: many, requests: several(func() proto.Message {
			old := version()
			return &queryv1.GetDiffRequest{
				Old: &queryv1.DiffSide{Content: &queryv1.DiffSide_VersionId{VersionId: old}},
				New: &queryv1.DiffSide{Content: &queryv1.DiffSide_VersionId{VersionId: min(old+1, s.versions)}},
			}
		})},
		{name: "last_1000_diffs", method: "GetDiffsSince", stream: true, callers: few, requests: []proto.Message{
			&queryv1.GetDiffsSinceRequest{Since: &queryv1.GetDiffsSinceRequest_SinceTime{SinceTime: timestamppb.New(s.recent)}},
		}},
		{name: "http_content", callers: many, path: fmt.Sprintf("/api/v1/versions/%d", s.versions), requests: one},
		{name: "http_diffs_basic", callers: many, path: "/api/v1/diffs?page_size=50&view=DIFF_VIEW_BASIC", requests: one},
		{name: "http_diffs_full", callers: many, path: "/api/v1/diffs?page_size=50", requests: one},
		{name: "files", method: "ListFiles", callers: few, requests: []proto.Message{
			&queryv1.ListFilesRequest{Path: "/notes/area-07", AsOfTime: timestamppb.New(s.newest.AddDate(0, -6, 0))},
		}},
	}
}

func (s *sample) searches() []scenario {
	plain := queryv1.SearchMode_SEARCH_MODE_PLAIN
	all := []scenario{
		{name: "search_one_word", p99: 20, requests: s.search(plain, func() string { return s.words(1) })},
		{name: "search_two_words", p99: 20, requests: s.search(plain, func() string { return s.words(2) })},
		{name: "search_three_words", p99: 20, requests: s.search(plain, func() string { return s.words(3) })},
		{name: "search_commonest_word", p99: 20, requests: s.search(plain, func() string { return vocabulary[0] })},
		{name: "search_rare_word", p99: 20, requests: s.search(plain, func() string { return s.word(5000, vocabularySize) })},
		{name: "search_substring", requests: s.search(queryv1.SearchMode_SEARCH_MODE_SUBSTRING, func() string {
			word := s.word(500, 2000)
			return word[1 : len(word)-1]
		})},
		{name: "search_substring_absent", requests: s.search(queryv1.SearchMode_SEARCH_MODE_SUBSTRING, func() string { return "xyxy" + s.word(500, 2000) })},
	}
	for i := range all {
		all[i].method, all[i].callers = "SearchContent", few
	}
	return all
}

func (s *sample) statistics() []scenario {
	end := timestamppb.New(s.newest.Add(time.Second))
	start := timestamppb.New(s.newest.AddDate(-1, 0, 0))
	return []scenario{
		{name: "time_analysis_of_a_year", method: "GetTimeAnalysis", callers: 1, p99: 40, requests: []proto.Message{
			&queryv1.GetTimeAnalysisRequest{StartTime: start, EndTime: end, TimeZone: "Europe/Berlin"},
		}},
		{name: "activity_of_a_year", method: "GetActivityStats", callers: 1, requests: []proto.Message{
			&queryv1.GetActivityStatsRequest{StartTime: start, EndTime: end, TimeZone: "Europe/Berlin"},
		}},
		{name: "topic_files", method: "GetTopicFiles", callers: few, requests: []proto.Message{
			&queryv1.GetTopicFilesRequest{Topic: topic(0)}, &queryv1.GetTopicFilesRequest{Topic: topic(topicCount - 1)},
		}},
	}
}
