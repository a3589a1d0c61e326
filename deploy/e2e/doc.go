// Package e2e tests the product from outside: it starts the built programs,
// changes real files, kills processes and looks at what comes out at the other
// end, in the database, over gRPC, at an SSE client and in a browser.
//
// The programs are taken from $OBBY_BIN (default: bin at the top of the
// repository); `make test` builds them with the race detector. A browser is
// needed for the tests of the page: without Chromium they are skipped, and fail
// where CI is set.
package e2e
