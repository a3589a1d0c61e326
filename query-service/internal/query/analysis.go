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
	a.total.Files = a.visits.files
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
	bucket, start, end := -1, int64(0), int64(-1) // no time is between these
	var here Counts
	for i, at := range b.Time {
		if at < a.from || at > a.last {
			continue
		}
		if at < start || at > end {
			a.leave(bucket, here)
			here = Counts{}
			bucket = sort.Search(len(a.ends)-1, func(i int) bool { return at <= a.ends[i] })
			start, end = a.from, a.ends[bucket]
			if bucket > 0 {
				start = a.ends[bucket-1] + 1
			}
		}
		here.add(b, i)
		if a.visits.add(b.Path[i], int32(bucket)) {
			here.Files++
		}
	}
	a.leave(bucket, here)
}

// leave adds what was counted of a bucket.
func (a *analyzer) leave(bucket int, counts Counts) {
	if bucket >= 0 {
		a.buckets[bucket].merge(counts)
		counts.Files = 0
		a.total.merge(counts)
	}
}

// visits tells which paths were seen in which buckets. Most steps of a path are in the
// bucket of its step before, or a later one: its buckets are a list, the last one first.
type visits struct {
	paths []visit   // by path: the head of its list
	older [][]visit // the others, in pieces that never move
	files int64     // paths that were seen
}

// visit is a bucket, counted from 1, and the place of the next visit in older, too.
type visit struct{ bucket, next int32 }

const visitsAtOnce = 1 << 13

// add notes a path in a bucket, and reports whether it is new there.
func (v *visits) add(path int64, bucket int32) (isNew bool) {
	if path >= int64(len(v.paths)) {
		v.paths = slices.Grow(v.paths, int(path)+1-len(v.paths))[:path+1]
	}
	at := &v.paths[path]
	bucket++
	if at.bucket == bucket {
		return false
	}
	if at.bucket == 0 {
		v.files++
		at.bucket = bucket
		return true
	}
	for at.bucket > bucket && at.next != 0 && v.at(at.next).bucket >= bucket {
		at = v.at(at.next)
	}
	switch {
	case at.bucket == bucket:
		return false
	case at.bucket < bucket: // the head
		at.next = v.push(*at)
		at.bucket = bucket
	default:
		at.next = v.push(visit{bucket, at.next})
	}
	return true
}

func (v *visits) at(place int32) *visit {
	return &v.older[(place-1)/visitsAtOnce][(place-1)%visitsAtOnce]
}

func (v *visits) push(x visit) (place int32) {
	last := len(v.older) - 1
	if last < 0 || len(v.older[last]) == visitsAtOnce {
		v.older = append(v.older, make([]visit, 0, visitsAtOnce))
		last++
	}
	v.older[last] = append(v.older[last], x)
	return int32(last*visitsAtOnce + len(v.older[last]))
}
