package main

import (
	"os"
	"strings"
	"time"
)

// localZone returns the machine's time zone under its IANA name, which callers
// are told. Where the machine does not tell its name it is called Local.
func localZone() *time.Location {
	if time.Local.String() != "Local" { // TZ is set
		return time.Local
	}
	file, err := os.Readlink("/etc/localtime")
	if err != nil {
		return time.Local
	}
	_, name, _ := strings.Cut(file, "zoneinfo/")
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" {
		return time.Local
	}
	return zone
}
