package main

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"

	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/config"
	"github.com/obby/go-services/internal/service"
)

// settings is what the content-tracker can be told.
type settings struct {
	Database   string       `name:"database" usage:"path of the SQLite file; made where there is none"`
	Roots      []string     `name:"root" usage:"folder whose files may be tracked; repeatable; at least one"`
	RestoreTo  []string     `name:"restore-to" usage:"folder that files may be restored to, beside the roots; repeatable"`
	Watcher    string       `name:"watcher" usage:"address of the file-watcher to follow; empty: changes come by TrackChange alone"`
	Hub        string       `name:"hub" usage:"address of the sse-hub that gets every recorded change; empty: none does"`
	HubToken   string       `name:"hub-token-file" usage:"file with the token (JWT) that the sse-hub asks for; read at each call, so that it can be renewed; empty: it asks for none"`
	Workers    int          `name:"workers" usage:"files read and compared at once"`
	MaxContent config.Bytes `name:"max-content" usage:"largest file whose content is kept; of a larger one only the hash is"`
	Retain     []string     `name:"retain" usage:"retention rule, such as '*.log last=10 daily=7'; also hourly, weekly, monthly; repeatable, the first whose pattern matches counts; empty: keep everything"`
	RetainMax  config.Bytes `name:"retain-bytes" usage:"bytes of contents and diffs above which the oldest steps go; 0: no cap"`
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
	errs = append(errs, resolve("root", s.Roots), resolve("restore-to", s.RestoreTo))
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
	for _, text := range s.Retain {
		if _, err := track.ParseRule(text); err != nil {
			errs = append(errs, fmt.Errorf("--retain: %w", err))
		}
	}
	return errors.Join(errs...)
}

// resolve makes folders absolute and resolves their symlinks.
func resolve(flag string, folders []string) error {
	var errs []error
	for i, folder := range folders {
		absolute, err := filepath.Abs(folder)
		if err != nil || folder == "" {
			errs = append(errs, fmt.Errorf("--%s: %q is not a folder's path", flag, folder))
			continue
		}
		if resolved, err := filepath.EvalSymlinks(absolute); err == nil {
			absolute = resolved
		}
		folders[i] = absolute
	}
	return errors.Join(errs...)
}

// tracker is what the tracker is told, once the settings are validated.
func (s *settings) tracker() track.Config {
	c := track.Config{Roots: s.Roots, RestoreTo: s.RestoreTo, MaxContent: int64(s.MaxContent), Workers: s.Workers}
	c.Retention.MaxBytes = int64(s.RetainMax)
	for _, text := range s.Retain {
		rule, _ := track.ParseRule(text) // Validate has
		c.Retention.Rules = append(c.Retention.Rules, rule)
	}
	return c
}
