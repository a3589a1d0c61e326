package track

import (
	"context"
	"sync"
	"sync/atomic"
)

// each calls do with 0 up to n-1, from several goroutines, and returns when all
// calls have. It begins no more once ctx has ended.
func each(ctx context.Context, workers, n int, do func(i int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(workers, n) {
		group.Go(func() { // ends with the numbers or ctx
			for i := next.Add(1) - 1; i < int64(n) && ctx.Err() == nil; i = next.Add(1) - 1 {
				do(int(i))
			}
		})
	}
	group.Wait()
}
