package main

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"

	"github.com/obby/go-services/internal/config"
	"github.com/obby/go-services/internal/service"
)

// settings is what the content-tracker can be told.
type settings struct {
	Database   string       `name:"database" usage:"path of the SQLite file; made where there is none"`
	Roots      []string     `name:"root" usage:"folder whose files may be tracked; repeatable; at least one"`
	Watcher    string       `name:"watcher" usage:"address of the file-watcher to follow; empty: changes come by TrackChange alone"`
	Hub        string       `name:"hub" usage:"address of the sse-hub that gets every recorded change; empty: none does"`
	Workers    int          `name:"workers" usage:"files read and compared at once"`
	MaxContent config.Bytes `name:"max-content" usage:"largest file whose content is kept; of a larger one only the hash is"`
	service.Settings
}

func defaults() settings {
	return settings{
		Settings: service.Defaults("127.0.0.1:50052", "127.0.0.1:51052"),
		Database: "obby.db", Workers: 10, MaxContent: 10 << 20,
	}
}

// maxWorkers and maxMaxContent keep a slip of the pen from eating the machine.
const (
	maxWorkers    = 1000
	maxMaxContent = 1 << 30
)

// Validate implements config.Validator. It makes the roots absolute and resolves
// their symlinks, so that one folder has one name; a folder that is missing is
// waited for.
func (s *settings) Validate() error {
	errs := []error{s.Settings.Validate()}
	if len(s.Roots) == 0 {
		errs = append(errs, errors.New("--root: no folder may be tracked yet: name at least one, such as --root ~/notes"))
	}
	for i, root := range s.Roots {
		absolute, err := filepath.Abs(root)
		if err != nil || root == "" {
			errs = append(errs, fmt.Errorf("--root: %q is not a folder's path", root))
			continue
		}
		if resolved, err := filepath.EvalSymlinks(absolute); err == nil {
			absolute = resolved
		}
		s.Roots[i] = absolute
	}
	for flag, addr := range map[string]string{"watcher": s.Watcher, "hub": s.Hub} {
		if _, _, err := net.SplitHostPort(addr); addr != "" && err != nil {
			errs = append(errs, fmt.Errorf("--%s: %q is not an address: give host:port, such as 127.0.0.1:50051", flag, addr))
		}
	}
	if s.Workers < 1 || s.Workers > maxWorkers {
		errs = append(errs, fmt.Errorf("--workers: %d is out of range: give 1 to %d", s.Workers, maxWorkers))
	}
	if s.MaxContent < 0 || s.MaxContent > maxMaxContent {
		errs = append(errs, fmt.Errorf("--max-content: %v is out of range: give 0 to %v", s.MaxContent, config.Bytes(maxMaxContent)))
	}
	return errors.Join(errs...)
}
