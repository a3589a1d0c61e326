package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// write gives every file a note.
func write(paths []string, edition int) error {
	for i, path := range paths {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(note(i, edition)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// note is a text of about 5 KB, the same every time; what changes with each
// edition is one paragraph.
func note(i, edition int) string {
	text := rand.New(rand.NewPCG(uint64(i), 0))
	var page strings.Builder
	fmt.Fprintf(&page, "# Note %d\n\n", i)
	for paragraph := range 12 {
		words := text
		if paragraph == 5 && edition > 0 {
			words = rand.New(rand.NewPCG(uint64(i), uint64(edition)))
		}
		for range 6 {
			for range 11 {
				page.WriteString(vocabulary[words.IntN(len(vocabulary))])
				page.WriteByte(' ')
			}
			page.WriteByte('\n')
		}
		page.WriteByte('\n')
	}
	return page.String()
}

// vocabulary is some thousand words, as a text has them.
var vocabulary = func() []string {
	syllables := []string{"ka", "lo", "mi", "ter", "so", "na", "ve", "ri", "du", "pen"}
	var words []string
	for _, a := range syllables {
		for _, b := range syllables {
			words = append(words, a+b)
			for _, c := range syllables {
				words = append(words, a+b+c)
			}
		}
	}
	return words
}()
