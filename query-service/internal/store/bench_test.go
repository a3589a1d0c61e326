package store

import (
	"os"
	"testing"
	"time"

	"github.com/obby/go-services/internal/pathrule"
	"github.com/obby/go-services/query-service/internal/query"
)

func BenchmarkDiffs(b *testing.B) {
	path := os.Getenv("OBBY_BENCH_DB")
	if path == "" {
		b.Skip("OBBY_BENCH_DB names no database")
	}
	s := serve(b, path)
	glob := func(p string) *pathrule.Filter {
		f, err := pathrule.NewFilter("", p, nil)
		if err != nil {
			b.Fatal(err)
		}
		return f
	}
	last, _ := s.Last(b.Context())
	for _, x := range []struct {
		name string
		q    query.DiffQuery
	}{
		{"basic", query.DiffQuery{}},
		{"basic-middle", query.DiffQuery{Before: last.ID / 2}},
		{"full", query.DiffQuery{WithText: true}},
		{"prefix-wide", query.DiffQuery{Filter: query.Filter{Prefix: "/home/ann/notes/d01"}}},
		{"prefix-file", query.DiffQuery{Filter: query.Filter{Prefix: "/home/ann/notes/d01/s01/file00041.py"}}},
		{"glob-wide", query.DiffQuery{Filter: query.Filter{Glob: glob("*.md")}}},
		{"glob-narrow", query.DiffQuery{Filter: query.Filter{Glob: glob("file0004?.py")}}},
		{"glob-none", query.DiffQuery{Filter: query.Filter{Glob: glob("nothing")}}},
		{"types-rare", query.DiffQuery{Filter: query.Filter{Types: []query.ChangeType{query.Deleted}}}},
		{"time", query.DiffQuery{Filter: query.Filter{Range: query.Range{From: time.Date(2025, 12, 24, 0, 0, 0, 0, time.UTC), To: time.Date(2025, 12, 25, 0, 0, 0, 0, time.UTC)}}}},
	} {
		b.Run(x.name, func(b *testing.B) {
			x.q.Limit = 50
			for b.Loop() {
				if _, err := s.Diffs(b.Context(), x.q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkActivity(b *testing.B) {
	path := os.Getenv("OBBY_BENCH_DB")
	if path == "" {
		b.Skip("OBBY_BENCH_DB names no database")
	}
	s := serve(b, path)
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		b.Fatal(err)
	}
	year := query.Range{From: time.Date(2025, 11, 20, 0, 0, 0, 0, zone), To: time.Date(2026, 11, 26, 0, 0, 0, 0, zone)}
	b.Run("analysis of a year by day", func(b *testing.B) {
		for b.Loop() {
			if a, err := query.Analyze(b.Context(), s, year, "", query.Day, zone); err != nil || a.Total.Changes < 99_000 {
				b.Fatal(a.Total, err)
			}
		}
	})
	b.Run("statistics", func(b *testing.B) {
		for b.Loop() {
			if _, err := query.Summarize(b.Context(), s, year, "", 10, zone); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkVersions(b *testing.B) {
	path := os.Getenv("OBBY_BENCH_DB")
	if path == "" {
		b.Skip("OBBY_BENCH_DB names no database")
	}
	s := serve(b, path)
	last, err := s.Last(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	var files []string
	for id := int64(1); id < last.ID; id += last.ID / 1000 {
		if v, _, err := s.Content(b.Context(), id); err == nil {
			files = append(files, v.Path)
		}
	}
	b.Run("of a path", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := s.Versions(b.Context(), query.VersionQuery{Path: files[i%len(files)], Limit: 10}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("content", func(b *testing.B) {
		for i := int64(0); b.Loop(); i++ {
			_, _, _ = s.Content(b.Context(), 1+i*7919%(last.ID-1)) // there may be none
		}
	})
}

func BenchmarkFiles(b *testing.B) {
	path := os.Getenv("OBBY_BENCH_DB")
	if path == "" {
		b.Skip("OBBY_BENCH_DB names no database")
	}
	s := serve(b, path)
	for name, at := range map[string]time.Time{"now": time.Now(), "months ago": time.Now().AddDate(0, -6, 0)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.FilesAt(b.Context(), "/", at, "", 50); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
