//go:build !cgo

package sqlite

// SQLite is C. Go turns cgo off silently where it finds no C compiler; then the
// build stops here.
var _ = install_a_C_compiler_such_as_gcc_and_build_with_CGO_ENABLED_1
