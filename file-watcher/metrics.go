package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/obby/go-services/file-watcher/internal/watch"
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("obby_watcher_"+name, help, labels, nil)
}

var (
	eventsDesc      = describe("events_total", "Settled changes, by type.", "type")
	resyncsDesc     = describe("resyncs_total", "Times a subscriber was told to compare the disk with what it knows, by reason.", "reason")
	overflowsDesc   = describe("overflows_total", "Times the kernel's event queue overflowed, so that every root was scanned again.")
	pendingDesc     = describe("pending_paths", "Changed paths that have not settled yet.")
	directoriesDesc = describe("watched_directories", "Directories watched by the kernel.")
	polledDesc      = describe("polled_directories", "Directories that are visited again and again instead of being watched; ListWatches says why.")
	filesDesc       = describe("known_files", "Matching files known, over all watches.")
	subscribersDesc = describe("subscribers", "Open event streams.")
)

// collector turns the watcher's own counters into metrics.
type collector struct{ watcher *watch.Watcher }

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	stats := c.watcher.Stats()
	count := func(desc *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), labels...)
	}
	size := func(desc *prometheus.Desc, n int64) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n))
	}
	for _, t := range watch.Types {
		count(eventsDesc, stats.Events[t], t.String())
	}
	for _, r := range watch.Reasons {
		count(resyncsDesc, stats.Resyncs[r], r.String())
	}
	count(overflowsDesc, stats.Overflows)
	size(pendingDesc, stats.Pending)
	size(directoriesDesc, stats.Directories)
	size(polledDesc, stats.Polled)
	size(filesDesc, stats.Files)
	size(subscribersDesc, stats.Subscribers)
}
