package rpc

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	ssev1 "github.com/obby/go-services/proto/gen/obby/sse/v1"
	"github.com/obby/go-services/sse-hub/internal/hub"
)

var reasons = map[hub.Reason]ssev1.ResetReason{
	hub.Expired: ssev1.ResetReason_RESET_REASON_EXPIRED,
	hub.Epoch:   ssev1.ResetReason_RESET_REASON_EPOCH,
	hub.Future:  ssev1.ResetReason_RESET_REASON_FUTURE,
}

// opening is what a stream begins with.
func opening(sub *hub.Subscription) []*ssev1.SubscribeResponse {
	items := []*ssev1.SubscribeResponse{
		{Item: &ssev1.SubscribeResponse_Ready{Ready: &ssev1.Ready{EventId: sub.Live()}}},
	}
	if reset := sub.Reset(); reset != nil {
		items = append(items, &ssev1.SubscribeResponse{Item: &ssev1.SubscribeResponse_Reset_{Reset_: &ssev1.Reset{
			Reason: reasons[reset.Reason], EventId: sub.Cursor(), OldestEventId: reset.Oldest,
		}}})
	}
	return items
}

// following is what Next has returned: events, or the silence between them, in
// which the cursor moves past the events of other topics (hub case 48).
func following(sub *hub.Subscription, events []*hub.Event) []*ssev1.SubscribeResponse {
	if len(events) == 0 {
		return []*ssev1.SubscribeResponse{{Item: &ssev1.SubscribeResponse_Heartbeat{Heartbeat: &ssev1.Heartbeat{EventId: sub.Cursor()}}}}
	}
	items := make([]*ssev1.SubscribeResponse, len(events))
	for i, e := range events {
		items[i] = &ssev1.SubscribeResponse{Item: &ssev1.SubscribeResponse_Event{Event: &ssev1.Event{
			EventId: e.ID, Topic: e.Topic, EventType: e.Type, Data: e.Data, PublishTime: timestamppb.New(e.Time),
		}}}
	}
	return items
}
