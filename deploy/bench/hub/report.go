package main

import (
	"time"

	"github.com/obby/go-services/deploy/bench/measure"
)

// report is what is printed.
type report struct {
	Machine measure.Machine     `json:"machine"`
	Clients int                 `json:"clients"`
	Sinks   map[string]*figures `json:"sinks"`
}

// figures are those of one sink. Targets are for 2 cores that the generator uses,
// too.
type figures struct {
	FanOut   *delivery `json:"fan_out,omitempty"`
	Small    *small    `json:"small_audiences,omitempty"`
	Stalled  *stalled  `json:"stalled_reader,omitempty"`
	Burst    *burst    `json:"burst,omitempty"`
	Connects *connects `json:"connects,omitempty"`
	Memory   *memory   `json:"memory,omitempty"`
}

// delivery is a load and when it arrived.
type delivery struct {
	Receivers    int           `json:"receivers"`
	Publications int           `json:"publications"`
	Lost         int64         `json:"lost"`
	Duplicates   int64         `json:"duplicates"`
	Each         measure.Times `json:"to_each_client"`
	Last         measure.Times `json:"to_the_last_client"`
	Publish      measure.Times `json:"publish_call"`
	HubCPU       float64       `json:"hub_cpu_seconds"`
	OwnCPU       float64       `json:"generator_cpu_seconds"`
	Target       string        `json:"target,omitempty"`
}

type small struct {
	Hundred         delivery `json:"hundred"`
	Thousand        delivery `json:"thousand"`
	HundredFanOut   delivery `json:"hundred_while_the_others_get_10_a_second"`
	ThousandFanOut  delivery `json:"thousand_while_the_others_get_10_a_second"`
	ConnectedBeside int      `json:"connected_beside"`
}

type stalled struct {
	Without []measure.Times `json:"without"`
	With    []measure.Times `json:"with_one_stalled"`
	Change  float64         `json:"change_of_p99_percent"`
	Target  string          `json:"target"`
}

type burst struct {
	delivery
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"deliveries_per_second"`
}

type connects struct {
	Clients       int           `json:"clients"`
	Seconds       float64       `json:"seconds_until_all_are_connected"`
	Gone          float64       `json:"seconds_until_all_are_gone"`
	FilesBefore   int           `json:"open_files_before"`
	FilesAfter    int           `json:"open_files_after"`
	Publish       measure.Times `json:"publish_call_meanwhile"`
	TargetSeconds string        `json:"target"`
}

type memory struct {
	RestMiB       float64 `json:"at_rest_mib"`
	RestAnonMiB   float64 `json:"at_rest_without_the_program_mib"`
	IdleClients   int     `json:"idle_clients"`
	PerClientKiB  float64 `json:"per_client_kib"`
	ConnectedMiB  float64 `json:"connected_mib"`
	CPUPerSecond  float64 `json:"cpu_percent_while_idle"`
	TargetPerEach string  `json:"target"`
}

// deliver sums up what a swarm has seen of a publisher's events.
func deliver(s *swarm, p *publisher, receivers int) delivery {
	d := delivery{Receivers: receivers, Publications: len(p.took), Publish: measure.Sum(p.took)}
	var each, last []time.Duration
	latest := map[int]time.Duration{}
	for _, w := range s.crews {
		each = append(each, w.times...)
		for number, took := range w.last {
			if took == 0 {
				continue // a number that the hub's other topics have, or none
			}
			latest[number] = max(latest[number], took)
		}
	}
	for _, took := range latest {
		last = append(last, took)
	}
	d.Each, d.Last = measure.Sum(each), measure.Sum(last)
	sum := s.total()
	d.Duplicates = sum.duplicates
	d.Lost = int64(receivers)*int64(d.Publications) - sum.events
	return d
}
