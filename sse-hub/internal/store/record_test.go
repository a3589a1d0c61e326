package store

import (
	"bytes"
	"testing"
	"time"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

func FuzzRecord(f *testing.F) {
	f.Add("t", "message", "k", []byte("x"))
	f.Fuzz(func(t *testing.T, topic, kind, key string, data []byte) {
		if len(topic) > 255 || len(kind) > 255 || len(key) > 255 {
			return
		}
		e := hub.Event{Seq: 9, Topic: topic, Type: kind, Key: key, Data: data, Time: time.Unix(0, 5), Receivers: 3}
		record := appendRecord(nil, &e, 4)
		payload, size, ok := cutRecord(append(record, 1, 2, 3))
		got := contents(payload)
		if !ok || size != len(record) || got.Topic != topic || got.Type != kind || got.Key != key || !bytes.Equal(got.Data, data) || got.Seq != 9 || groupStart(payload) != 5 {
			t.Errorf("%v, %d of %d: %+v", ok, size, len(record), got)
		}
		for n := range record {
			if _, _, ok := cutRecord(record[:n]); ok {
				t.Fatalf("%d of %d bytes are a record", n, len(record))
			}
		}
	})
}
