package main

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/obby/go-services/file-watcher/internal/watch"
	"github.com/obby/go-services/internal/config"
	"github.com/obby/go-services/internal/service"
)

// settings is what this service can be told.
type settings struct {
	Roots          []string      `name:"root" usage:"folder to watch from the start; may be repeated; one that is missing is waited for"`
	Debounce       time.Duration `name:"debounce" usage:"quiet delay: how long a path must rest before it is reported, 0 to 1h"`
	RescanInterval time.Duration `name:"rescan-interval" usage:"pause between scans for what notifications do not tell, such as mmap writes and unmounts; 0 for none"`
	Method         string        `name:"method" usage:"how changes are noticed: notify (kernel notifications), poll (scans), or auto, which polls where a root's file system has no notifications"`
	PollInterval   time.Duration `name:"poll-interval" usage:"shortest pause between two rounds of polling, above 0"`
	PollMax        time.Duration `name:"poll-max-interval" usage:"longest pause between two rounds of polling, reached while nothing changes"`
	JournalEvents  int           `name:"journal-events" usage:"most events kept for subscribers that reconnect or are slow"`
	JournalBytes   config.Bytes  `name:"journal-bytes" usage:"most memory that these events may take, approximately"`
	service.Settings
}

func defaults() settings {
	return settings{
		Debounce: 500 * time.Millisecond, RescanInterval: 15 * time.Minute,
		Method: watch.Auto.String(), PollInterval: time.Second, PollMax: 30 * time.Second,
		JournalEvents: 100_000, JournalBytes: 64 << 20,
		Settings: service.Defaults("127.0.0.1:50051", "127.0.0.1:51051"),
	}
}

// Validate reports every setting that cannot be used, and makes the roots
// absolute.
func (s *settings) Validate() error {
	var errs []error
	for i, root := range s.Roots {
		path, err := filepath.Abs(root)
		if err != nil || root == "" {
			errs = append(errs, fmt.Errorf("--root: %q is no path: give a folder", root))
		}
		s.Roots[i] = path
	}
	if s.Debounce < 0 || s.Debounce > watch.MaxDebounce {
		errs = append(errs, fmt.Errorf("--debounce: %v is not between 0 and %v", s.Debounce, watch.MaxDebounce))
	}
	if s.RescanInterval < 0 {
		errs = append(errs, fmt.Errorf("--rescan-interval: %v is negative: give 0 for none", s.RescanInterval))
	}
	if _, err := watch.ParseMethod(s.Method); err != nil {
		errs = append(errs, fmt.Errorf("--method: %w", err))
	}
	if s.PollInterval <= 0 || s.PollInterval > s.PollMax {
		errs = append(errs, fmt.Errorf("--poll-interval: %v is not above 0 and at most --poll-max-interval, %v", s.PollInterval, s.PollMax))
	}
	if s.JournalEvents < 1 {
		errs = append(errs, fmt.Errorf("--journal-events: %d is not usable: give 1 or more", s.JournalEvents))
	}
	if s.JournalBytes < 1 {
		errs = append(errs, fmt.Errorf("--journal-bytes: %v is not usable: give a size such as 64MiB", s.JournalBytes))
	}
	return errors.Join(append(errs, s.Settings.Validate())...)
}

// options returns what of the settings concerns the watches.
func (s *settings) options(log *slog.Logger) watch.Options {
	method, _ := watch.ParseMethod(s.Method) // Validate has seen it
	return watch.Options{
		Method: method, PollMin: s.PollInterval, PollMax: s.PollMax,
		Log: log, Debounce: s.Debounce, RescanEvery: s.RescanInterval,
		JournalEvents: s.JournalEvents, JournalBytes: int64(s.JournalBytes),
	}
}
