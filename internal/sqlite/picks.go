package sqlite

import (
	"encoding/json"

	"github.com/obby/go-services/internal/pathrule"
	"github.com/obby/go-services/internal/rawpath"
)

// Picks is the first argument of the SQL function obby_picks(picks, file_path),
// as JSON text: whether a pathrule.Filter with these picks the path. In a
// statement it goes before what reads a row's long columns.
type Picks struct {
	Prefix     []byte // absolute and clean, or empty: what Pattern is relative to
	Pattern    []byte // empty: every path
	Extensions []string
}

// Check says what in p cannot be used.
func (p Picks) Check() error {
	_, err := p.filter()
	return err
}

func (p Picks) filter() (*pathrule.Filter, error) {
	return pathrule.NewFilter(string(p.Prefix), string(p.Pattern), p.Extensions)
}

// newPicks makes the function for one connection, which runs one statement at a
// time: what the last call had compiled is kept without a lock.
func newPicks() func(picks, path string) (bool, error) {
	var last string
	var filter *pathrule.Filter
	return func(text, path string) (bool, error) {
		if filter == nil || text != last {
			var p Picks
			if err := json.Unmarshal([]byte(text), &p); err != nil {
				return false, err
			}
			made, err := p.filter()
			if err != nil {
				return false, err
			}
			last, filter = text, made
		}
		return filter.Match(rawpath.Decode(path)), nil
	}
}
