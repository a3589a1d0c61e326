// Package service is the one process lifecycle that the four services share.
//
// A main function builds its parts, describes them as a Process and calls Run,
// which binds every listener, serves, and stops in a fixed order when its context
// ends or a worker fails:
//
//  1. health says NOT_SERVING, so that callers go elsewhere;
//  2. the Drain steps end open streams, which gRPC would wait for without end;
//  3. HTTP, then gRPC, which HTTP may call, finish the calls under way;
//  4. the workers' context ends: what was acknowledged has been finished;
//  5. the Close steps release the rest;
//  6. the admin listener goes last, so that a stop can be watched.
//
// All of it together is bounded by Settings.StopTimeout; what is still running
// then is abandoned and named in the log.
//
// The package imports no service and no generated code of ours, and it does not
// know of signals: those belong to main.
package service
