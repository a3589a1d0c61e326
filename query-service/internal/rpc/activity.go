package rpc

import (
	"context"
	"errors"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
	"github.com/obby/go-services/query-service/internal/query"
)

const defaultDays = 7

// GetTimeAnalysis implements queryv1.QueryServiceServer.
func (s *Server) GetTimeAnalysis(ctx context.Context, req *queryv1.GetTimeAnalysisRequest) (_ *queryv1.GetTimeAnalysisResponse, err error) {
	defer s.status(&err)
	zone, err := s.readZone(req.GetTimeZone())
	if err != nil {
		return nil, err
	}
	r, err := s.rangeUntilNow(req.GetStartTime(), req.GetEndTime())
	if err != nil {
		return nil, err
	}
	if req.GetStartTime() == nil {
		r.From = notBefore(r.To.In(zone).AddDate(0, 0, -defaultDays), earliest)
	}
	below, err := readPrefix("path_prefix", req.GetPathPrefix(), req.GetRawPathPrefix())
	if err != nil {
		return nil, err
	}
	width, err := readWidth(req.GetBucketSize())
	if err != nil {
		return nil, err
	}
	a, err := query.Analyze(ctx, s.store, r, below, width, zone)
	if errors.Is(err, query.ErrTooManyBuckets) {
		return nil, invalid("bucket_size", err)
	}
	if err != nil {
		return nil, err
	}
	return &queryv1.GetTimeAnalysisResponse{
		Buckets: all(a.Buckets, bucket), Total: counts(a.Total), Topics: all(a.Topics, term), Keywords: all(a.Keywords, term),
		StartTime: timestamppb.New(r.From), EndTime: timestamppb.New(r.To), TimeZone: zone.String(),
	}, nil
}

// readZone returns a zone by its name, the server's for none.
func (s *Server) readZone(name string) (*time.Location, error) {
	if name == "" {
		return s.zone, nil
	}
	zone, err := query.Zone(name)
	return zone, invalid("time_zone", err)
}

// rangeUntilNow reads a range that ends now unless the request says otherwise.
func (s *Server) rangeUntilNow(start, end *timestamppb.Timestamp) (query.Range, error) {
	if end == nil {
		end = timestamppb.New(s.now())
	}
	return readRange("", start, end)
}

// GetActivityStats implements queryv1.QueryServiceServer.
func (s *Server) GetActivityStats(ctx context.Context, req *queryv1.GetActivityStatsRequest) (_ *queryv1.GetActivityStatsResponse, err error) {
	defer s.status(&err)
	r, err := s.rangeUntilNow(req.GetStartTime(), req.GetEndTime())
	if err != nil {
		return nil, err
	}
	below, err := readPrefix("path_prefix", req.GetPathPrefix(), req.GetRawPathPrefix())
	if err != nil {
		return nil, err
	}
	list, err := count("list_size", req.GetListSize(), query.DefaultList, query.MaxList)
	if err != nil {
		return nil, err
	}
	zone, err := s.readZone(req.GetTimeZone())
	if err != nil {
		return nil, err
	}
	stats, err := query.Summarize(ctx, s.store, r, below, list, zone)
	if err != nil {
		return nil, err
	}
	return &queryv1.GetActivityStatsResponse{
		Total: counts(stats.Total), ByChangeType: all(stats.ByType, typeCounts), ByDirectory: all(stats.ByDirectory, namedCounts),
		ByExtension: all(stats.ByExtension, namedCounts), ByFile: all(stats.ByFile, namedCounts),
		FirstTime: timestamp(stats.First), LastTime: timestamp(stats.Last), LongestGap: gap(stats.Gap),
		ActiveDays: stats.Days.Active, LongestStreak: streak(stats.Days.Longest), CurrentStreak: streak(stats.Days.Current),
		Topics: all(stats.Topics, term), Keywords: all(stats.Keywords, term), TimeZone: zone.String(),
	}, nil
}
