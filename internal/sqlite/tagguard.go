//go:build !sqlite_fts5

package sqlite

// Full-text search is compiled into SQLite by a build tag. Without the tag the
// build stops here instead of failing at the first search.
var _ = build_with_the_tag_sqlite_fts5__go_build_tags_sqlite_fts5
