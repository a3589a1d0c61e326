package e2e

import (
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var cuts = flag.Int("cuts", 20, "how often TestPowerCut cuts the power")

// A power cut takes back what was written and not synced: nothing of that had been
// acknowledged. testdata/powercut.c is the disk.
func TestPowerCut(t *testing.T) { // tracker case 37
	disk, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	synced := t.TempDir()
	t.Setenv("LD_PRELOAD", powercut(t))
	t.Setenv("OBBY_DISK", disk)
	t.Setenv("OBBY_SYNCED", synced)
	l := startLoaded(t, disk)
	acknowledged, lost := 0, 0
	for round := range *cuts {
		acked := l.until(t, round, func() {
			<-time.After(rand.N(lastMoment)) // any moment will do
			l.process.Kill()
		})
		acknowledged += len(acked)
		lost += losePower(t, disk, synced)
		l.revive(t, round, acked)
	}
	l.process.Kill()
	inspect(t, l.database, func(h *history) {
		t.Logf("%d power cuts, %d of which took something; %d acknowledged answers, %d recorded steps",
			*cuts, lost, acknowledged, h.line(t))
	})
	if lost == 0 {
		t.Error("no power cut took anything: the disk is not the one that can lose its power")
	}
}

// losePower leaves on the disk what was synced. It returns 1 where that is less
// than what was there.
func losePower(t *testing.T, disk, synced string) (lost int) {
	t.Helper()
	files, err := os.ReadDir(disk)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		path := filepath.Join(disk, file.Name())
		was, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		is, err := os.ReadFile(filepath.Join(synced, file.Name()))
		switch {
		case os.IsNotExist(err): // the -shm file, which recovery makes anew
			err = os.Remove(path)
		case err == nil:
			err = os.WriteFile(path, is, 0o644)
			if string(was) != string(is) {
				lost = 1
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return lost
}

// powercut builds the library. The C compiler that builds SQLite builds it too.
func powercut(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "CC").Output()
	if err != nil {
		t.Fatal(err)
	}
	library := filepath.Join(t.TempDir(), "powercut.so")
	cc := exec.Command(strings.TrimSpace(string(out)), "-shared", "-fPIC", "-O2", "-o", library, "testdata/powercut.c", "-ldl")
	if out, err := cc.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cc, err, out)
	}
	return library
}
