package main

import "runtime/debug"

const (
	// gcPercent: what lives is a few megabytes, and each answer leaves garbage, so that
	// with Go's 100 the collector runs fifty times a second under load.
	gcPercent = 400
	// memoryLimit is where it runs more often all the same. SQLite's page caches are
	// beside it. A guess.
	memoryLimit = 40 << 20
)

// sizeMemory trades memory for time, unless the environment says how (GOGC, GOMEMLIMIT).
func sizeMemory(env func(string) (string, bool)) {
	if _, set := env("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
	if _, set := env("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(memoryLimit)
	}
}
