package query

import "time"

// Zone returns the time zone with an IANA name, or ErrUnknownZone.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" { // these mean something to LoadLocation alone
		return nil, ErrUnknownZone
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, ErrUnknownZone
	}
	return zone, nil
}
