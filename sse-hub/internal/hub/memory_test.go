package hub_test

import (
	"testing"

	"github.com/obby/go-services/sse-hub/internal/hub"
	"github.com/obby/go-services/sse-hub/internal/logtest"
)

func TestMemoryLog(t *testing.T) {
	logtest.Run(t, func(_ *testing.T, r hub.Retention) hub.Log { return hub.NewMemoryLog(r) })
}
