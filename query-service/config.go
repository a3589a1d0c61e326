package main

import (
	"errors"

	"github.com/obby/go-services/internal/service"
)

// settings is what this service can be told.
type settings struct {
	Database string `name:"database" usage:"path of the SQLite database; the service waits until the content-tracker or the Python backend has made it"`
	service.Settings
}

func defaults() settings {
	return settings{Database: "obby.db", Settings: service.Defaults("127.0.0.1:50053", "127.0.0.1:51053")}
}

// Validate reports every setting that cannot be used.
func (s *settings) Validate() error {
	var err error
	if s.Database == "" {
		err = errors.New("--database: is empty: give the path of the SQLite database")
	}
	return errors.Join(err, s.Settings.Validate())
}
