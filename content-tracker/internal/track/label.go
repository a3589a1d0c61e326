package track

import (
	"context"
	"fmt"
)

// SetLabel labels a version and pins it, or takes both back.
func (t *Tracker) SetLabel(ctx context.Context, version int64, label string, pinned bool) error {
	if err := t.store.SetLabel(ctx, version, label, pinned); err != nil {
		return fmt.Errorf("version %d: %w", version, err)
	}
	return nil
}
