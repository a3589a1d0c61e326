package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/obby/go-services/sse-hub/internal/hub"
	"github.com/obby/go-services/sse-hub/internal/web"
)

// collector reads the numbers of the hub and of HTTP when they are asked for.
type collector struct {
	hub *hub.Hub
	web *web.Server
}

var (
	published = describe("published_events_total", "Publications that became events.")
	repeated  = describe("repeated_publications_total", "Publications that were answered by their idempotency key.")
	delivered = describe("delivered_events_total", "Events handed to subscribers' connections.")
	slow      = describe("slow_disconnects_total", "Subscribers ended because they read too slowly.")
	resets    = describe("resets_total", "Subscribers told that what they missed cannot be replayed.", "reason")
	open      = describe("subscribers", "Open subscriptions, over HTTP and gRPC.")
	events    = describe("history_events", "Events that can be replayed.")
	size      = describe("history_bytes", "What the events for replay take, on disk or in memory.")
	memory    = describe("history_memory_bytes", "Memory that those of them take that are in memory.")
	full      = describe("connections_full_total", "Times that the HTTP listener had to wait because there were as many connections as allowed.")
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("obby_hub_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	s, err := c.hub.Stats()
	if err != nil {
		ch <- prometheus.NewInvalidMetric(events, err)
		return
	}
	send := func(d *prometheus.Desc, kind prometheus.ValueType, n int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, kind, float64(n), labels...)
	}
	send(published, prometheus.CounterValue, s.Published)
	send(repeated, prometheus.CounterValue, s.Duplicates)
	send(delivered, prometheus.CounterValue, s.Delivered)
	send(slow, prometheus.CounterValue, s.Slow)
	for reason, n := range s.Resets {
		send(resets, prometheus.CounterValue, n, string(reason))
	}
	send(open, prometheus.GaugeValue, int64(s.Subscribers))
	send(events, prometheus.GaugeValue, s.Events)
	send(size, prometheus.GaugeValue, s.Bytes)
	send(memory, prometheus.GaugeValue, s.Memory)
	send(full, prometheus.CounterValue, c.web.Full())
}
