package rpc

import (
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/rpcerr"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
	"github.com/obby/go-services/query-service/internal/query"
)

// invalid answers err as what is wrong with a field; nil stays nil.
func invalid(field string, err error) error {
	if err == nil {
		return nil
	}
	return rpcerr.Field(field, "%v", err)
}

func readPath(field, text string, raw []byte) (string, error) {
	p, err := query.CleanPath(rawpath.Join(text, raw))
	return p, invalid(field, err)
}

// readPrefix reads a path that may be left out.
func readPrefix(field, text string, raw []byte) (string, error) {
	if text == "" && len(raw) == 0 {
		return "", nil
	}
	return readPath(field, text, raw)
}

// earliest stands for the least time that a Timestamp can bear, which is the zero time.
var earliest = time.Time{}.Add(time.Microsecond)

// readTime reads a time; unset is the zero time.
func readTime(field string, t *timestamppb.Timestamp) (time.Time, error) {
	if t == nil {
		return time.Time{}, nil
	}
	return notBefore(t.AsTime(), earliest), invalid(field, t.CheckValid())
}

// notBefore returns the later of two times.
func notBefore(t, least time.Time) time.Time {
	if t.Before(least) {
		return least
	}
	return t
}

func readRange(field string, start, end *timestamppb.Timestamp) (query.Range, error) {
	from, err := readTime(field+"start_time", start)
	if err != nil {
		return query.Range{}, err
	}
	to, err := readTime(field+"end_time", end)
	if err != nil {
		return query.Range{}, err
	}
	r := query.Range{From: from, To: to}
	return r, invalid(field+"start_time", r.Check())
}

func readFilter(f *queryv1.DiffFilter) (query.Filter, error) {
	below, err := readPrefix("filter.path_prefix", f.GetPathPrefix(), f.GetRawPathPrefix())
	if err != nil {
		return query.Filter{}, err
	}
	r, err := readRange("filter.", f.GetStartTime(), f.GetEndTime())
	if err != nil {
		return query.Filter{}, err
	}
	var types []query.ChangeType // each once, however often it was given
	for _, t := range f.GetChangeTypes() {
		stored, known := storedTypes[t]
		if !known {
			return query.Filter{}, rpcerr.Field("filter.change_types", "%v is not a type of change", t)
		}
		if !slices.Contains(types, stored) {
			types = append(types, stored)
		}
	}
	glob, err := query.Glob(below, f.GetPathGlob())
	return query.Filter{Prefix: below, Glob: glob, Types: types, Range: r}, invalid("filter.path_glob", err)
}

func readView(view queryv1.DiffView) (bool, error) {
	switch view {
	case queryv1.DiffView_DIFF_VIEW_UNSPECIFIED, queryv1.DiffView_DIFF_VIEW_FULL:
		return true, nil
	case queryv1.DiffView_DIFF_VIEW_BASIC:
		return false, nil
	}
	return false, rpcerr.Field("view", "%v is not a view", view)
}

func readWidth(size queryv1.BucketSize) (query.Width, error) {
	switch size {
	case queryv1.BucketSize_BUCKET_SIZE_UNSPECIFIED, queryv1.BucketSize_BUCKET_SIZE_DAY:
		return query.Day, nil
	case queryv1.BucketSize_BUCKET_SIZE_HOUR:
		return query.Hour, nil
	case queryv1.BucketSize_BUCKET_SIZE_WEEK:
		return query.Week, nil
	}
	return 0, rpcerr.Field("bucket_size", "%v is not a size", size)
}
