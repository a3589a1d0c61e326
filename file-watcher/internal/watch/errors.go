package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
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

// errAlias marks a directory that is watched under another path already, which
// only a bind mount brings about: inotify knows directories, not paths.
var errAlias = errors.New("the same directory is mounted at another path of the tree")

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

// limitError puts the name and value of the kernel's limit into an error of
// inotify, whose own texts ("no space left on device", "too many open files")
// send their reader to the wrong place (cases 39, 40).
func limitError(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: %s", ErrLimit, inotifyLimit("max_user_watches"))
	case errors.Is(err, syscall.EMFILE):
		return fmt.Errorf("%w: %s", ErrLimit, inotifyLimit("max_user_instances"))
	}
	return err
}

func inotifyLimit(name string) string {
	value, err := os.ReadFile("/proc/sys/fs/inotify/" + name)
	if err != nil {
		return "raise fs.inotify." + name
	}
	return fmt.Sprintf("fs.inotify.%s is %s, raise it with sysctl", name, strings.TrimSpace(string(value)))
}
