package config_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/config"
)

var update = flag.Bool("update", false, "rewrite the golden files")

type shared struct {
	Listen string `name:"listen" usage:"address to listen on"`
}

type settings struct {
	shared
	Debounce time.Duration `name:"debounce" usage:"quiet delay before a change is reported"`
	Roots    []string      `name:"root" usage:"folder to watch; may be repeated"`
	Max      config.Bytes  `name:"max-content" usage:"largest content that is kept"`
	Workers  int           `name:"workers" usage:"files handled at once"`
	Pprof    bool          `name:"pprof" usage:"serve profiles"`
}

func (s *settings) Validate() error {
	if s.Workers < 1 {
		return errors.New("--workers: must be at least 1")
	}
	return nil
}

func defaults() *settings {
	return &settings{shared: shared{"127.0.0.1:1"}, Debounce: 500 * time.Millisecond, Max: 10 << 20, Workers: 10}
}

func load(env map[string]string, args ...string) (*settings, string, error) {
	s, out := defaults(), &bytes.Buffer{}
	err := config.Load(s, config.Program{
		Name: "watcher", Prefix: "OBBY_WATCHER", Summary: "watches folders.", Version: "watcher v1.2.3", Args: args, Output: out,
		LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
	})
	return s, out.String(), err
}

func TestPrecedence(t *testing.T) {
	env := map[string]string{
		"OBBY_WATCHER_DEBOUNCE": "1s", "OBBY_WATCHER_LISTEN": "env", "OBBY_WATCHER_ROOT": "/a,/b",
		"OBBY_WATCHER_WORKERS": "", "OBBY_WATCHER_PPROF": "true",
	}
	got, _, err := load(env, "--listen=flag", "-max-content", "512KiB", "--pprof=false")
	if err != nil {
		t.Fatal(err)
	}
	want := &settings{shared: shared{"flag"}, Debounce: time.Second, Roots: []string{"/a", "/b"}, Max: 512 << 10, Workers: 10}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(settings{}, shared{})); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	got, _, err = load(env, "--root", "/x", "--root", "/y", "--pprof")
	if err != nil || !cmp.Equal(got.Roots, []string{"/x", "/y"}) || !got.Pprof {
		t.Errorf("settings are %+v, %v", got, err)
	}
}

func TestEveryErrorAtOnce(t *testing.T) {
	_, _, err := load(map[string]string{"OBBY_WATCHER_DEBOUNCE": "5x", "OBBY_WATCHER_MAX_CONTENT": "1XB", "OBBY_WATCHER_PPROF": "ture"},
		"stray", "--debunce", "1s", "--workers", "ten", "--listen")
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`OBBY_WATCHER_DEBOUNCE: "5x" is not usable: give a duration`, `OBBY_WATCHER_MAX_CONTENT: "1XB"`,
		`OBBY_WATCHER_PPROF: "ture" is not usable: give true or false`, `"stray" is not a flag`,
		`--debunce is not a setting: did you mean --debounce?`, `--workers: "ten"`, `--listen: needs a value`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("errors lack %q:\n%v", want, err)
		}
	}
}

func TestValidate(t *testing.T) {
	if _, _, err := load(nil, "--workers", "0"); err == nil || !strings.Contains(err.Error(), "at least 1") {
		t.Errorf("error is %v, want Validate's", err)
	}
}

func TestHelpAndVersion(t *testing.T) {
	_, out, err := load(nil, "--help")
	if !errors.Is(err, config.ErrDone) {
		t.Fatalf("error is %v, want ErrDone", err)
	}
	if *update {
		if err := os.WriteFile("testdata/help.txt", []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile("testdata/help.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(golden), out); diff != "" {
		t.Errorf("help (-want +got):\n%s", diff)
	}
	if _, out, err := load(nil, "--version"); !errors.Is(err, config.ErrDone) || out != "watcher v1.2.3\n" {
		t.Errorf("--version printed %q, %v", out, err)
	}
}

func TestMarkdown(t *testing.T) {
	table := config.Markdown(defaults(), "OBBY_WATCHER")
	want := "| `--max-content` | `OBBY_WATCHER_MAX_CONTENT` | `10MiB` | largest content that is kept |"
	if !strings.Contains(table, want) {
		t.Errorf("table lacks %q:\n%s", want, table)
	}
}
