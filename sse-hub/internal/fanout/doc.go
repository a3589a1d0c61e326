// Package fanout writes the hub's frames to thousands of sockets. It runs on Linux.
//
// # Model
//
// A connection is a file descriptor and a hub.Subscription: a few hundred bytes,
// no goroutine and no buffer. Each belongs to one shard, whose goroutine alone
// reads its subscription and writes to its socket, which never blocks. The hub puts
// connections that have something to read into the queue of their shard; so does
// the one goroutine that hears from epoll which sockets take bytes again and which
// clients have left. What is pending for a client leaves in one write. Where a
// socket takes no more, the rest of one frame is kept, the cursor stays behind it,
// and the shard goes on with the next connection.
//
// Small audiences come first: a publication for a hundred clients does not wait
// until one for ten thousand has been written.
//
// # Invariants
//
//   - A frame is written whole or the connection ends.
//   - No connection is silent for longer than the hub's heartbeat.
//   - A client that takes nothing for WriteTimeout is let go, and comes back with
//     its last id.
//   - What a client is told at the end follows a whole frame, and is given the same
//     time; inside a frame, a stream ends without a word.
//   - What clients that are behind keep in memory has a bound; the slowest goes
//     first.
//
// The package knows nothing of HTTP: a connection comes with the bytes that its
// stream begins with.
package fanout
