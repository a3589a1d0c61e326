package e2e

import (
	"flag"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc/status"
)

var kills = flag.Int("kills", 40, "how often TestCrash kills the tracker")

// lastMoment is within how long after the first answer a tracker is killed: long
// enough for some dozens of commits.
const lastMoment = 60 * time.Millisecond

// A tracker that is killed at any moment has lost nothing that it acknowledged,
// leaves a sound database, and equals the disk once it is back.
func TestCrash(t *testing.T) { // tracker case 37
	l := startLoaded(t, t.TempDir())
	rng := rand.New(rand.NewPCG(3, 7))
	acknowledged := 0
	for round := range *kills {
		acked := l.until(t, round, func() {
			<-time.After(rand.N(lastMoment)) // any moment will do
			l.process.Kill()
		})
		acknowledged += len(acked)
		if rng.IntN(4) == 0 { // what happens while it is down is found as well
			write(t, filepath.Join(l.root, "meanwhile.md"), paragraph(rng))
		}
		l.revive(t, round, acked)
	}
	l.process.Kill()
	inspect(t, l.database, func(h *history) {
		t.Logf("%d kills, %d acknowledged answers, %d recorded steps", *kills, acknowledged, h.line(t))
	})
}

// codeOf is the name of an error's status code.
func codeOf(err error) string { return status.Code(err).String() }
