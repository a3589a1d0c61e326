package main

import (
	"testing"

	"github.com/obby/go-services/internal/configtest"
)

func TestSettingsAreDocumented(t *testing.T) {
	cfg := defaults()
	configtest.Documented(t, &cfg, "OBBY_HUB", "sse-hub")
}
