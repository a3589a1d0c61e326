package watch

// newNotifier starts the notifications of this system.
func newNotifier() (notifier, error) { return newInotify() }
