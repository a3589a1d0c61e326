package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// What the methods of [Watcher] answer, each wrapped in a sentence that names
// the path or the watch.
var (
	ErrInvalidRoot    = errors.New("this root cannot be watched")
	ErrRootMissing    = errors.New("this root is missing")
	ErrRootUnreadable = errors.New("this root cannot be read")
	ErrInvalidPattern = errors.New("this pattern cannot be used")
	ErrInvalidToken   = errors.New("this service never made this resume token")
	ErrUnknownWatch   = errors.New("no such watch")
	ErrLimit          = errors.New("a limit of the system is reached")
	ErrShuttingDown   = errors.New("the service is shutting down")
)

// errUnnotified marks a directory of which the kernel notifies nothing.
var errUnnotified = errors.New("changes are not notified there")

// errReplaced marks a directory that is another one by the time it is watched.
var errReplaced = fmt.Errorf("replaced meanwhile: %w", fs.ErrNotExist)

// gone reports whether err says that a path names nothing any more.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// cause returns err without the operation and path that the os package adds: a
// raw path does not belong in a message.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// at names the path that err is about, printably.
func at(path string, err error) error { return fmt.Errorf("%q: %w", path, cause(err)) }
