package service_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/obby/go-services/internal/service"
)

// A service that starts before the one that makes its file waits for it: that is no
// warning, until it was there.
func TestHealthWaitsForFile(t *testing.T) {
	health := service.NewHealth()
	r := start(t, func(p *service.Process) { p.Health = health })
	health.Set(fmt.Errorf("the file: %w", fs.ErrNotExist))
	if log := r.log.String(); !strings.Contains(log, "not serving yet") || strings.Contains(log, "WARN") {
		t.Errorf("before it was there: %s", log)
	}
	health.Set(nil)
	health.Set(fmt.Errorf("the file: %w", fs.ErrNotExist))
	if log := r.log.String(); !strings.Contains(log, "WARN") {
		t.Errorf("when it is gone: %s", log)
	}
}
