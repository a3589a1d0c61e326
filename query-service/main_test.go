package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/obby/go-services/internal/sqlitetest"
)

func noEnv(string) (string, bool) { return "", false }

// The service waits for its database, says so, and serves once it is there, also after
// that was taken away.
func TestRun(t *testing.T) {
	database := filepath.Join(t.TempDir(), "obby.db")
	read, write := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() { // stopped by cancel
		defer func() { _ = write.Close() }() // never fails
		done <- run(ctx, []string{"--database", database, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--http", "127.0.0.1:0"}, noEnv, io.Discard, write)
	}()
	log := bufio.NewScanner(read)
	listening := await(t, log, "msg=listening")
	admin := regexp.MustCompile(`admin=(\S+)`).FindStringSubmatch(listening)[1]
	api := "http://" + regexp.MustCompile(`http=(\S+)`).FindStringSubmatch(listening)[1]
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
	if code, text := get(t, api+"/api/v1/diffs"); code != http.StatusOK {
		t.Errorf("over HTTP: %d %s", code, text)
	}
	conn, err := grpc.NewClient(regexp.MustCompile(`grpc=(\S+)`).FindStringSubmatch(listening)[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	health := func(want healthv1.HealthCheckResponse_ServingStatus) {
		t.Helper()
		resp, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{Service: "obby.query.v1.QueryService"})
		if err != nil || resp.Status != want {
			t.Errorf("case 60: its health is %v, %v, want %v", resp.GetStatus(), err, want)
		}
	}
	health(healthv1.HealthCheckResponse_SERVING)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(database + suffix); err != nil {
			t.Fatal(err)
		}
	}
	await(t, log, "not serving")
	health(healthv1.HealthCheckResponse_NOT_SERVING)
	sqlitetest.Adopted(t, database)
	await(t, log, "msg=serving")
	health(healthv1.HealthCheckResponse_SERVING)
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
	for arg, want := range map[string]string{
		"--database=":                            "--database: is empty",
		"--http=8081":                            `--http: "8081" is not an address`,
		"--allow-host=http://notes.lan":          "--allow-host",
		"--allow-origin=notes.example":           "--allow-origin",
		"--allow-origin=https://notes.example/a": "scheme://host",
	} {
		var stderr strings.Builder
		if code := run(t.Context(), []string{arg}, noEnv, io.Discard, &stderr); code != 2 || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s gave %d: %s", arg, code, stderr.String())
		}
	}
}

// The server answers for the name that its listener has.
func TestHosts(t *testing.T) {
	for addr, want := range map[string]string{"notes.lan:80": "notes.lan", ":80": "", "": ""} {
		s := settings{HTTP: addr, AllowHosts: []string{"other"}}
		if got := strings.Join(s.web().Hosts, " "); got != strings.TrimSpace("other "+want) {
			t.Errorf("%q answers for %q", addr, got)
		}
	}
}

func TestLocalZone(t *testing.T) {
	if zone := localZone(); zone.String() == "" {
		t.Error("the zone has no name")
	}
}
