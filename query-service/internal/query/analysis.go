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
		if a.visits.add(b.Path[i], bucket) {
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

// visits tells which paths were seen in which buckets. Most steps of a path are near its
// step before, or later: its buckets are a list of runs of 64, the last one first.
type visits struct {
	paths []visit   // by path: the head of its list
	older [][]visit // the others, in pieces that never move
	files int64     // paths that were seen
}

// visit is which buckets of a run were visited, a bit for each. Runs are counted from 1,
// and so are the places in older, of which next is one.
type visit struct {
	run, next int32
	buckets   uint64
}

const visitsAtOnce = 1 << 12

// add notes a path in a bucket, and reports whether it is new there.
func (v *visits) add(path int64, bucket int) (isNew bool) {
	if path >= int64(len(v.paths)) {
		v.paths = slices.Grow(v.paths, int(path)+1-len(v.paths))[:path+1]
	}
	at, run, bit := &v.paths[path], int32(bucket/64)+1, uint64(1)<<(bucket%64)
	if at.run != run {
		at = v.find(at, run)
	}
	isNew = at.buckets&bit == 0
	at.buckets |= bit
	return isNew
}

// find returns a run of a list that does not begin with it, and puts it there where it
// is missing.
func (v *visits) find(head *visit, run int32) *visit {
	switch {
	case head.run == 0:
		v.files++
		head.run = run
		return head
	case head.run < run:
		*head = visit{run: run, next: v.push(*head)}
		return head
	}
	at := head
	for at.next != 0 && v.at(at.next).run >= run {
		at = v.at(at.next)
	}
	if at.run != run {
		at.next = v.push(visit{run: run, next: at.next})
		at = v.at(at.next)
	}
	return at
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
