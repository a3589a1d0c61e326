package query

import (
	"context"
	"slices"
	"sort"
	"time"

	"github.com/obby/go-services/internal/stepindex"
)

// Analysis is what happened in a range, bucket by bucket.
type Analysis struct {
	Buckets          []Bucket
	Total            Counts
	Topics, Keywords []TermCount // most frequent first
}

// Analyze counts what happened at or below prefix in each bucket of a range with
// both bounds. It returns ErrTooManyBuckets and the store's errors.
func Analyze(ctx context.Context, store ActivityStore, r Range, prefix string, width Width, zone *time.Location) (Analysis, error) {
	buckets, err := Buckets(r, width, zone)
	if err != nil {
		return Analysis{}, err
	}
	a := analyzer{buckets: buckets, ends: make([]int64, len(buckets))}
	a.from, a.last = r.Micros()
	for i, b := range buckets {
		_, a.ends[i] = b.Micros()
	}
	if len(buckets) > 0 { // else the range is empty
		if err := store.Steps(ctx, r, prefix, a.count, nil); err != nil {
			return Analysis{}, err
		}
	}
	result := Analysis{Buckets: buckets, Total: a.total}
	result.Topics, result.Keywords, err = store.Terms(ctx, r, prefix, MaxTerms)
	return result, err
}

// analyzer is an Analysis in the making.
type analyzer struct {
	from, last int64 // microseconds
	buckets    []Bucket
	ends       []int64 // the last microsecond of each
	total      Counts
	visits     visits
}

// count counts steps. Most of them are in the bucket of the one before.
func (a *analyzer) count(b *stepindex.Block) {
	bucket, start, end := 0, int64(0), int64(-1) // no time is between these
	for i, at := range b.Time {
		if at < a.from || at > a.last {
			continue
		}
		if at < start || at > end {
			bucket = sort.Search(len(a.ends)-1, func(i int) bool { return at <= a.ends[i] })
			start, end = a.from, a.ends[bucket]
			if bucket > 0 {
				start = a.ends[bucket-1] + 1
			}
		}
		a.buckets[bucket].add(b, i)
		a.total.add(b, i)
		newPath, newHere := a.visits.add(b.Path[i], int32(bucket))
		if newPath {
			a.total.Files++
		}
		if newHere {
			a.buckets[bucket].Files++
		}
	}
}

// visits tells which paths were seen in which buckets. Most steps of a path are in the
// bucket of its step before, or a later one: its buckets are a list, the last one first.
type visits struct {
	lists []int32 // by path: its first item, counted from 1
	items []visit
}

type visit struct{ bucket, next int32 }

// add notes a path in a bucket, and reports whether it is new, and new there.
func (v *visits) add(path int64, bucket int32) (newPath, newHere bool) {
	if path >= int64(len(v.lists)) {
		v.lists = slices.Grow(v.lists, int(path)+1-len(v.lists))[:path+1]
	}
	link := &v.lists[path]
	newPath = *link == 0
	for *link != 0 && v.items[*link-1].bucket > bucket {
		link = &v.items[*link-1].next
	}
	if *link != 0 && v.items[*link-1].bucket == bucket {
		return newPath, false
	}
	next := *link
	*link = int32(len(v.items)) + 1
	v.items = append(v.items, visit{bucket, next})
	return newPath, true
}
