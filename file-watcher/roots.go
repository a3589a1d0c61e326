package main

import (
	"context"
	"fmt"

	"github.com/obby/go-services/file-watcher/internal/watch"
	"github.com/obby/go-services/internal/service"
)

// startRoots watches the roots of the settings and says that the service serves
// once all have been scanned.
func startRoots(ctx context.Context, watcher *watch.Watcher, roots []string, health *service.Health) error {
	for _, root := range roots {
		if _, _, err := watcher.Start(ctx, watch.Start{Path: root, MayBeMissing: true}); err != nil {
			return fmt.Errorf("--root: %w", err)
		}
	}
	health.Set(nil)
	return nil
}
