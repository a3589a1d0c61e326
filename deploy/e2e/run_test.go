package e2e

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/obby/go-services/deploy/run/stack"
)

// launcher is the program behind `make run`, on free ports.
type launcher struct {
	*exec.Cmd
	log *logBook
}

func (l *launcher) Write(b []byte) (int, error) {
	l.log.line("run", string(bytes.TrimSuffix(b, []byte{'\n'})))
	return len(b), nil
}

func (l *launcher) output() string {
	l.log.mu.Lock()
	defer l.log.mu.Unlock()
	return l.log.text.String()
}

func launch(t *testing.T, env []string, args ...string) *launcher {
	t.Helper()
	bin := binaries(t)
	l := &launcher{exec.Command(filepath.Join(bin, "run"), append([]string{"--bin", bin}, args...)...), &logBook{}}
	l.Stdout, l.Stderr = l, l
	l.Env = os.Environ()
	for _, service := range []string{"HUB", "WATCHER", "TRACKER", "QUERY"} {
		l.Env = append(l.Env, "OBBY_"+service+"_LISTEN=127.0.0.1:0", "OBBY_"+service+"_ADMIN=127.0.0.1:0")
	}
	l.Env = append(append(l.Env, "OBBY_HUB_HTTP=127.0.0.1:0"), env...)
	if err := l.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Process.Kill(); l.log.check(t) })
	return l
}

// A newcomer's first minute: start, change a file of the demo folder, stop.
func TestRun(t *testing.T) {
	data := t.TempDir()
	l := launch(t, nil, "--data", data)
	page := regexp.MustCompile(`Live page  (http://\S+)`)
	eventually(t, "the launcher prints the address of the page", func() bool { return page.MatchString(l.output()) })
	demo := filepath.Join(data, "demo")
	write(t, filepath.Join(demo, "notes", "a.md"), "hi\n")
	w := &world{root: demo, database: filepath.Join(data, "obby.db")}
	eventually(t, "the change is stored", func() bool { return w.stored(t)[w.path("notes/a.md")] == "hi\n" })
	if paths := recentPaths(t, page.FindStringSubmatch(l.output())[1]); paths[0] != w.path("notes/a.md") {
		t.Errorf("the newest diff over HTTP is of %q", paths)
	}
	for _, level := range []string{"level=WARN", "level=ERROR"} {
		if strings.Contains(l.output(), level) {
			t.Errorf("a first start logs a line with %s:\n%s", level, l.output())
		}
	}
	for _, service := range stack.Services {
		if !strings.Contains(l.output(), service) {
			t.Errorf("the log of %s is not shown", service)
		}
	}
	if err := l.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := l.Wait(); err != nil {
		t.Errorf("after Ctrl-C the launcher ended with %v", err)
	}
	if n := strings.Count(l.output(), "msg=stopped"); n != len(stack.Services) {
		t.Errorf("%d services stopped in order, want %d", n, len(stack.Services))
	}
}

// What cannot be started says so in one sentence with the remedy.
func TestRunRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	bare := t.TempDir()
	for name, tc := range map[string]struct {
		env      []string
		args     []string
		sentence string
	}{
		"a taken port":            {[]string{"OBBY_HUB_HTTP=" + taken.Addr().String()}, nil, "is taken by another program"},
		"a folder without rules":  {nil, []string{"--watch", bare}, "has no .obbywatch"},
		"a setting that is wrong": {[]string{"OBBY_WATCHER_DEBOUNCE=soon"}, nil, `OBBY_WATCHER_DEBOUNCE: "soon"`},
	} {
		t.Run(name, func(t *testing.T) {
			l := launch(t, tc.env, append([]string{"--data", t.TempDir()}, tc.args...)...)
			var exit *exec.ExitError
			if err := l.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Errorf("the launcher ended with %v, want exit status 1", err)
			}
			if !strings.Contains(l.output(), tc.sentence) {
				t.Errorf("output lacks %q:\n%s", tc.sentence, l.output())
			}
		})
	}
}
