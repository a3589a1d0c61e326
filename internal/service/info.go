package service

import (
	"crypto/rand"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"
)

// version is set by the linker: see LDFLAGS in the Makefile.
var version string

// Info identifies a running program.
type Info struct {
	Name       string    // such as "file-watcher"
	Version    string    // from the linker, else from the build's module or revision
	InstanceID string    // random, of this process
	StartTime  time.Time // when NewInfo was called
}

// NewInfo describes this process.
func NewInfo(name string) Info {
	return Info{Name: name, Version: buildVersion(), InstanceID: rand.Text(), StartTime: time.Now()}
}

// String is what --version prints.
func (i Info) String() string { return fmt.Sprintf("%s %s (%s)", i.Name, i.Version, runtime.Version()) }

func buildVersion() string {
	if version != "" {
		return version
	}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	var revision, modified string
	for _, s := range build.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "-dirty"
		}
	}
	if revision != "" {
		return revision + modified
	}
	return build.Main.Version
}
