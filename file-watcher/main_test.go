package main

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/obby/go-services/file-watcher/internal/watch"
)

func TestSettings(t *testing.T) {
	bad := defaults()
	bad.Roots, bad.Debounce, bad.RescanInterval, bad.JournalEvents, bad.JournalBytes = []string{""}, -1, -1, 0, 0
	bad.Method, bad.PollInterval = "guess", time.Hour
	err := bad.Validate()
	for _, flag := range []string{"--root", "--debounce", "--rescan-interval", "--method", "--poll-interval", "--journal-events", "--journal-bytes"} {
		if err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("error %v does not name %s", err, flag)
		}
	}
	good := defaults()
	good.Roots = []string{"notes"}
	if err := good.Validate(); err != nil || !filepath.IsAbs(good.Roots[0]) {
		t.Errorf("settings are %+v, %v", good, err)
	}
}

func TestRefusesToStart(t *testing.T) {
	var out, errs bytes.Buffer
	env := func(string) (string, bool) { return "", false }
	if code := run(t.Context(), []string{"--debounce", "2h"}, env, &out, &errs); code != 2 || !strings.Contains(errs.String(), "--debounce") {
		t.Errorf("ended with %d, %q", code, errs.String())
	}
	errs.Reset()
	ports := []string{"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}
	if code := run(t.Context(), append(ports, "--root", "/proc"), env, &out, &errs); code != 1 || !strings.Contains(errs.String(), "/proc") {
		t.Errorf("ended with %d, %q", code, errs.String())
	}
}

func TestMetrics(t *testing.T) {
	watcher, err := watch.New(watch.Options{JournalEvents: 1, JournalBytes: 1, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(collector{watcher})
	families, err := registry.Gather()
	if err != nil || len(families) != 8 {
		t.Errorf("%d metrics, %v", len(families), err)
	}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "obby_watcher_") || f.GetHelp() == "" {
			t.Errorf("metric %v", f)
		}
	}
}
