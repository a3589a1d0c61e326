// Package pathrule says which files of a watched tree count. The file-watcher
// and the content-tracker both ask it, so that they agree.
//
// A root holds two files of patterns, one a line: .obbywatch names what to
// watch, .obbyignore what to leave out. The rules:
//
//   - Strict: without a watch pattern nothing is watched.
//   - A pattern means what Python's fnmatch.fnmatchcase makes of it: `*` is any
//     run of characters, `?` one character, `[a-c]` and `[!a-c]` a class, and
//     nothing else is special. `*`, `?` and classes match `/` and newlines too.
//   - A pattern is tried against the path relative to the root and against the
//     base name: `*.md` is every Markdown file, `docs/*.md` those below docs.
//   - A pattern that ends in `/` names directories, by relative path only, and
//     everything below them: `notes/` is notes at the root, `*/` every
//     directory, `*/build/` a build at any depth but the root.
//   - Ignore wins over watch. An ignore pattern hides directories as it hides
//     files, so `.git` and `.git/` both do; what is below an ignored directory
//     is hidden whatever a watch pattern says, and is never looked at. A watch
//     pattern without the final `/` names files alone.
//   - .obbywatch and .obbyignore are files like others: `*` watches them.
//   - Only regular files are watched; symlinks are not followed.
//
// A line is stripped of white space at both ends; a line that then begins with
// `#` is a comment (a file named #x is watched by `[#]x`). CRLF and a BOM are
// tolerated, duplicates are one. A line that cannot be used is a [Problem], and
// the other lines still work. A pattern cannot be negated: `!x` is a file
// named !x.
//
// Paths are bytes, relative, clean and separated by `/`. Bytes that are not
// valid UTF-8 count as one character each, as after Python's os.fsdecode.
//
// Invariants: a [Set] never changes; for each directory on the path, matching time
// is bounded by the product of the lengths of path and patterns, whatever these
// are. Names without wildcard and patterns of the form `*.ext` are looked up; only
// the rest is tried in turn.
//
// The package does not watch its own files: who changes the root's files loads
// a new Set. It does not know of symlink policies or size limits either.
package pathrule
