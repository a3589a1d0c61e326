package stepindex

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func block(steps ...[6]int64) *Block {
	b := &Block{}
	for _, s := range steps {
		b.Add(s[0], s[1], s[2], s[3], s[4], s[5])
	}
	return b
}

func TestBlock(t *testing.T) {
	full := &Block{}
	for i := range int64(MaxSteps) {
		full.Add(5+2*i, 1_700_000_000_000_000+31_000_000*i, i%300, Modified, i%70, i%3)
	}
	for name, b := range map[string]*Block{
		"one step":         block([6]int64{1, 5, 1, Created, 3, 0}),
		"equal columns":    block([6]int64{7, 5, 1, Created, 3, 0}, [6]int64{8, 5, 1, Created, 3, 0}),
		"gaps":             block([6]int64{7, 5, 1, Created, 3, 0}, [6]int64{90000, 6, 1, Deleted, 0, 3}),
		"unreadable times": block([6]int64{1, NoTime, 1, Created, 0, 0}, [6]int64{2, 5, 1, Moved, 0, 0}, [6]int64{3, math.MaxInt64, 1, Other, 0, 0}),
		"extremes":         block([6]int64{1, math.MinInt64, math.MaxInt64, Created, -1, math.MinInt64}, [6]int64{math.MaxInt64, math.MaxInt64, 0, Moved, math.MaxInt64, math.MaxInt64}),
		"full":             full,
	} {
		t.Run(name, func(t *testing.T) {
			data := b.Encode()
			got := block([6]int64{1, 1, 1, 1, 1, 1}) // what it held before is gone
			if err := got.Decode(data); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(b, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for cut := range data {
				if err := got.Decode(data[:cut]); !errors.Is(err, ErrFormat) {
					t.Fatalf("its first %d bytes of %d gave %v", cut, len(data), err)
				}
			}
		})
	}
	if n := len(full.Encode()); n > 16*MaxSteps {
		t.Errorf("a block of %d steps takes %d bytes", MaxSteps, n)
	}
}

// What a reader takes for the index of an array, or a name, is none in a damaged block.
func TestDamagedNumbers(t *testing.T) {
	for name, b := range map[string]*Block{
		"a path below 0":   block([6]int64{1, 5, -1, Created, 0, 0}),
		"a type below 0":   block([6]int64{1, 5, 1, Other - 1, 0, 0}),
		"a type above all": block([6]int64{1, 5, 1, Moved + 1, 0, 0}),
	} {
		if err := new(Block).Decode(b.Encode()); !errors.Is(err, ErrFormat) {
			t.Errorf("%s gave %v", name, err)
		}
	}
}

func TestDenies(t *testing.T) {
	b := block([6]int64{3, 9}, [6]int64{5, NoTime})
	for _, tc := range []struct {
		id, at int64
		want   bool
	}{{3, 9, false}, {3, 8, true}, {4, 1, false}, {5, NoTime, false}, {5, 1, true}, {6, 1, false}} {
		if got := b.Denies(tc.id, tc.at); got != tc.want {
			t.Errorf("it denies the time %d of step %d: %v", tc.at, tc.id, got)
		}
	}
}

func TestTimes(t *testing.T) {
	least, greatest, ok := block([6]int64{1, 9}, [6]int64{2, NoTime}, [6]int64{3, 4}).Times()
	if least != 4 || greatest != 9 || !ok {
		t.Errorf("times are %d to %d, %v", least, greatest, ok)
	}
	if _, _, ok := block([6]int64{1, NoTime}).Times(); ok {
		t.Error("there is a time where none can be read")
	}
}

func TestType(t *testing.T) {
	for text, want := range map[string]int64{"created": Created, "modified": Modified, "deleted": Deleted, "moved": Moved, "": Other, "renamed": Other} {
		if got := Type(text); got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(block([6]int64{1, 5, 1, Created, 3, 0}, [6]int64{9, NoTime, 2, Deleted, 0, 1 << 40}).Encode())
	f.Add([]byte{1, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		var b, again Block
		if err := b.Decode(data); err != nil {
			return
		}
		if err := again.Decode(b.Encode()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(b, again); diff != "" && b.Len() > 0 {
			t.Errorf("(-first +again):\n%s", diff)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	full := &Block{}
	for i := range int64(MaxSteps) {
		full.Add(5+i, 1_700_000_000_000_000+31_000_000*i, i*7919%10000, 1+i%4, i%70, i%300)
	}
	data := full.Encode()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := full.Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}
