package e2e

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math/bits"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// bucket is obby_clients.flags.bucket: which of 10,000 buckets a subject is in for a flag.
func bucket(flag string, subject []byte) uint64 {
	sum := sha256.Sum256(append(append([]byte(flag), 0), subject...))
	high, _ := bits.Mul64(binary.BigEndian.Uint64(sum[:8]), 10_000)
	return high
}

// Both languages put a subject into the same bucket: a Go program may one day decide
// for the same people.
func TestBucketsAreThoseOfThePythonClient(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "clients", "python", "src", "obby_clients", "flags", "buckets.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors []struct {
			Flag, Text, Hex string
			Repeat          int
			Bucket          uint64
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) < 9 {
		t.Fatalf("%d vectors: is the test right?", len(file.Vectors))
	}
	for _, vector := range file.Vectors {
		subject := []byte(strings.Repeat(vector.Text, max(vector.Repeat, 1)))
		if vector.Hex != "" {
			if subject, err = hex.DecodeString(vector.Hex); err != nil {
				t.Fatal(err)
			}
		}
		if got := bucket(vector.Flag, subject); got != vector.Bucket {
			t.Errorf("bucket(%q, %.40q) is %d, want %d", vector.Flag, subject, got, vector.Bucket)
		}
	}
}
