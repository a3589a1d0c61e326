package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/obby/go-services/internal/sqlitetest"
)

func noEnv(string) (string, bool) { return "", false }

// The service waits for its database, says so, and serves once it is there.
func TestRun(t *testing.T) {
	database := filepath.Join(t.TempDir(), "obby.db")
	read, write := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() { // stopped by cancel
		defer func() { _ = write.Close() }() // never fails
		done <- run(ctx, []string{"--database", database, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, noEnv, io.Discard, write)
	}()
	log := bufio.NewScanner(read)
	admin := regexp.MustCompile(`admin=(\S+)`).FindStringSubmatch(await(t, log, "msg=listening"))[1]
	await(t, log, "does not exist: start the content-tracker")
	if code, text := get(t, "http://"+admin+"/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(text, "start the content-tracker") {
		t.Errorf("without a database it is ready: %d %s", code, text)
	}
	sqlitetest.Adopted(t, database)
	await(t, log, "msg=serving")
	if code, text := get(t, "http://"+admin+"/readyz"); code != http.StatusOK {
		t.Errorf("with a database it is not ready: %d %s", code, text)
	}
	if _, text := get(t, "http://"+admin+"/metrics"); !strings.Contains(text, "obby_query_database_usable 1") {
		t.Error("the metrics do not say that the database is usable")
	}
	cancel()
	go func() { _, _ = io.Copy(io.Discard, read) }() // ends with the log
	if code := <-done; code != 0 {
		t.Errorf("it ended with %d", code)
	}
}

// await returns the first line of the log that has text in it.
func await(t *testing.T, log *bufio.Scanner, text string) string {
	t.Helper()
	for log.Scan() {
		if strings.Contains(log.Text(), text) {
			return log.Text()
		}
	}
	t.Fatalf("the log ended without %q: %v", text, log.Err())
	return ""
}

func get(t *testing.T, url string) (code int, text string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestBadSettings(t *testing.T) {
	var stderr strings.Builder
	code := run(t.Context(), []string{"--database="}, noEnv, io.Discard, &stderr)
	if code != 2 || !strings.Contains(stderr.String(), "--database") {
		t.Errorf("an empty database path gave %d: %s", code, stderr.String())
	}
}

func TestLocalZone(t *testing.T) {
	if zone := localZone(); zone.String() == "" {
		t.Error("the zone has no name")
	}
}
