//go:build !linux

package watch

// newNotifier starts the notifications of this system.
func newNotifier() (notifier, error) { return newFSNotifier() }

func limitError(err error) error { return err }
