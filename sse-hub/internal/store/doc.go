// Package store keeps the hub's events on disk: a hub.Log that outlives the
// process and a power cut.
//
// # Model
//
// A directory holds segments, files of records that follow one another; a new one
// is begun when the newest is full. A segment is filled with zeros before it is
// used, so that storing an event changes data alone and no file size, which is
// what fdatasync is quickest at; a record of length 0 is therefore its end. Where
// each event stands is known in memory, 16 bytes an event. The newest events are
// kept in memory as a whole; older ones are read from disk, a group at a time, and
// readers share the groups.
//
// # Invariants
//
//   - What Append has returned without an error is synced. Nothing is found by
//     After before: no event that a power cut can take back is ever seen, so no id
//     is given twice, and epoch and sequence go on after any end of the process.
//   - A sync that fails is final: the kernel may have dropped what it could not
//     write, and a second sync would say that all is well. Nothing is taken then
//     until the hub is started again.
//   - A group at the end that was torn is what nobody was told of, or damage to the
//     newest events that cannot be told from it: its places are given to nothing.
//     Damage before a later group is another thing: a new epoch begins, and readers
//     are told.
//   - Retention is exact for those who read; files are removed whole.
//
// One process at a time owns a directory.
package store
