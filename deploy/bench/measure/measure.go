// Package measure holds what the benchmark commands share: what a process uses,
// how times are summed up, and the JSON that every benchmark prints.
package measure

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ticks is the unit of the times in /proc/<pid>/stat (proc(5)): USER_HZ, which is
// 100 on every architecture that Go runs on.
const ticks = 100

// Usage is what a process has used so far.
type Usage struct {
	CPU time.Duration // user and system, to 10 ms
	RSS int64         // resident memory now, in bytes
	// Anon is the part of RSS that is not pages of a file, such as the program
	// itself, which the kernel may drop at any time.
	Anon int64
}

// Of returns what the process pid has used.
func Of(pid int) (Usage, error) {
	var u Usage
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	// The second field is the program's name in parentheses and may hold anything.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	for _, field := range fields[11:13] { // utime, stime
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return u, fmt.Errorf("cpu time of process %d: %w", pid, err)
		}
		u.CPU += time.Duration(n) * time.Second / ticks
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			u.RSS = kib << 10
		case "RssAnon":
			u.Anon = kib << 10
		}
	}
	return u, nil
}

// Times sums up durations, in milliseconds.
type Times struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	Max   float64 `json:"max_ms"`
}

// Sum sums up all; it sorts them.
func Sum(all []time.Duration) Times {
	if len(all) == 0 {
		return Times{}
	}
	slices.Sort(all)
	at := func(q float64) float64 { return Milliseconds(all[min(int(q*float64(len(all))), len(all)-1)]) }
	return Times{Count: len(all), P50: at(0.5), P99: at(0.99), Max: at(1)}
}

// Milliseconds returns d in milliseconds, to a microsecond.
func Milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Machine says where figures were taken: they mean nothing without it.
type Machine struct {
	CPUs   int    `json:"cpus"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
}

// Here describes this machine.
func Here() Machine {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease") // empty where there is none
	return Machine{CPUs: runtime.NumCPU(), Kernel: strings.TrimSpace(string(kernel)), Go: runtime.Version()}
}

// Print writes a report to standard output as JSON.
func Print(report any) error {
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	return out.Encode(report)
}
