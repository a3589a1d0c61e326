// Package sqlite is what every process of the product must agree on about the
// one database file: how it is opened, what is in it, how a time is written, and
// what an error of SQLite means. Statements are not here; they live in the store
// of the service that runs them.
//
// # Model
//
// One SQLite file in WAL mode. Create opens it for the one Go writer, Reader for
// everybody else; a Python program writes the same file with an SQLite of its
// own, often 3.40. Adopt makes the tables in a fresh file, or takes a file that
// the Python program made as it is, and adds tables of our own, all of them
// named obby_*.
//
// # Invariants
//
//   - A table, index, trigger or row that is there is never changed by Adopt, and
//     PRAGMA user_version, which is the other program's, never written.
//   - The writer is one connection whose transactions begin IMMEDIATE: a deferred
//     one that turns from reading to writing fails at once, whatever the busy
//     timeout (tracker case 40).
//   - A commit is on disk when it returns (synchronous=FULL).
//   - Only a Checkpointer copies the WAL into the file: every other connection
//     sets wal_autocheckpoint=0.
//   - What we create can be read and written by SQLite 3.40, and nothing of ours,
//     trigger or function, stands on a table that the Python program writes.
//
// # Columns declared DATETIME
//
// The driver turns such a column into a time.Time that it reads as UTC, though
// the text is local time, and into the zero time where it cannot read it. Select
// through an expression, such as `+timestamp`, to get the stored value for
// ParseTime, or `obby_time(timestamp)` to get microseconds since the Unix epoch
// (tracker case 45). Never compare stored times as they are: SQLite sorts every
// number before every text, and 'T' after ' ' (cases 44 and 46).
//
// # Not here
//
// No migration of the existing product's tables, no memory-mapped I/O, no second
// writer connection: it would only meet SQLITE_BUSY.
package sqlite
