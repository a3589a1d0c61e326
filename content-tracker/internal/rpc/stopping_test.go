package rpc_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"google.golang.org/grpc/codes"

	trackerv1 "github.com/obby/go-services/proto/gen/obby/tracker/v1"
)

// A batch that the service's end cuts short says so, and what it answered before
// is recorded.
func TestStop(t *testing.T) {
	client, root, server := serveServer(t)
	items := make([]*trackerv1.TrackChangeRequest, 2000)
	for i := range items {
		items[i] = &trackerv1.TrackChangeRequest{Path: write(t, filepath.Join(root, fmt.Sprint(i)), "x\n")}
	}
	stream, err := client.TrackBatch(t.Context(), &trackerv1.TrackBatchRequest{Items: items})
	if err != nil {
		t.Fatal(err)
	}
	answered := 0
	for err == nil {
		var answer *trackerv1.TrackBatchResponse
		if answer, err = stream.Recv(); err != nil {
			break
		}
		switch codes.Code(answer.Status.Code) {
		case codes.OK:
			answered++
		case codes.Unavailable:
		default:
			t.Errorf("an item has status %v", answer.Status)
		}
		server.Stop()
	}
	expectStatus(t, err, codes.Unavailable, "STOPPING")
	if answered == 0 || answered == len(items) {
		t.Errorf("%d of %d items were recorded: the batch was not cut short", answered, len(items))
	}
	reconciling, err := client.Reconcile(t.Context(), &trackerv1.ReconcileRequest{})
	if err == nil {
		_, err = reconciling.Recv()
	}
	expectStatus(t, err, codes.Unavailable, "STOPPING")
	if _, err := client.TrackChange(t.Context(), items[0]); err != nil {
		t.Errorf("a short call was refused: %v", err)
	}
}
