package main

import (
	"math"
	"math/rand/v2"
	"strings"
)

// vocabularySize is the number of different words. How often they stand follows
// Zipf: the word of rank r about 1/r as often as the first, as in any language.
const vocabularySize = 20_000

// syllables make words: the commonest have one, as in most languages.
var syllables = []string{
	"ka", "lo", "mi", "ter", "so", "na", "ve", "ri", "du", "pen",
	"al", "bor", "cha", "el", "fu", "gra", "hin", "jo", "qui", "za",
}

// vocabulary is every word, the commonest first.
var vocabulary = func() []string {
	words := make([]string, vocabularySize)
	for i := range words {
		for n := i + 1; n > 0; n = (n - 1) / len(syllables) {
			words[i] += syllables[(n-1)%len(syllables)]
		}
	}
	return words
}()

// common returns one of the first n numbers; the number r comes about 1/r as often
// as the first.
func common(random *rand.Rand, n int) int {
	return min(int(math.Exp(random.Float64()*math.Log(float64(n)+1)))-1, n-1)
}

// favourite returns one of the first n numbers, by a gentler law: r^-0.8. It says
// which file changes; with 10,000 files 3 % of the changes are of the first.
func favourite(random *rand.Rand, n int) int {
	return min(int(float64(n)*math.Pow(random.Float64(), 5)), n-1)
}

// line returns a line of some words, with its end.
func line(random *rand.Rand) string {
	var b strings.Builder
	for i := range 6 + random.IntN(7) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(vocabulary[common(random, vocabularySize)])
	}
	b.WriteByte('\n')
	return b.String()
}

// meanLine is about how long a line is, in bytes.
const meanLine = 48

// topicCount is the number of topics that summaries have.
const topicCount = 60

// topic returns a topic, the commonest first.
func topic(rank int) string { return vocabulary[100+rank] + " " + vocabulary[300+rank] }
