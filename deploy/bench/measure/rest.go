package measure

import (
	"context"
	"time"
)

// quiet is for how long a process at rest has used no CPU time. The tracker's index
// makes pauses of three times what a batch of it took; that none is longer is a guess.
const quiet = time.Second

// Rest waits until the process pid is at rest and returns after how long it was.
func Rest(ctx context.Context, pid int) (time.Duration, error) {
	start := time.Now()
	last, busy := time.Duration(-1), start
	for time.Since(busy) < quiet {
		used, err := Of(pid)
		if err != nil {
			return 0, err
		}
		if used.CPU != last {
			last, busy = used.CPU, time.Now()
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(10 * time.Millisecond): // a tick of its CPU time
		}
	}
	return busy.Sub(start), nil
}
