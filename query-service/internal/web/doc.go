// Package web is the HTTP side of the query-service: obby.query.v1 as JSON.
//
// The calls are made by connectrpc.com/vanguard, which turns a request into one to
// the gRPC server of this process and its answer back: REST at the paths that the
// contract names, Connect and gRPC-Web at /obby.query.v1.QueryService/<Method>, and
// there below /api as well, so that a proxy needs to pass on nothing else. What holds
// for gRPC calls holds for these: interceptors, metrics, request ids, deadlines,
// errors and their details.
//
// In front of it stands what vanguard leaves open (see rest.go): parameters are read
// strictly, and what is wrong with one is INVALID_ARGUMENT that names it; a value in
// the path may hold a slash. A stream has no REST form: Connect and gRPC-Web have it.
// Calls by name are looked at in procedure.go, for vanguard would unpack what is packed
// without a bound and say in a text what is wrong with a call.
package web
