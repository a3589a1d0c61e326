// Package config fills a service's settings: flag over environment over default.
//
// A service describes its settings once, as a struct whose fields carry a name
// and a usage text and whose values are the defaults; flags, environment
// variables, --help and the table of docs/operations.md all come from it. The
// flag of a field named "stop-timeout" is --stop-timeout; its variable, with
// prefix OBBY_HUB, is OBBY_HUB_STOP_TIMEOUT. Embedded structs are flattened.
//
// Everything that is wrong is reported at once, each in a sentence that names the
// flag or variable. An empty variable counts as unset.
package config

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ErrDone reports that --help or --version was asked for and printed: the
// program ends with success.
var ErrDone = errors.New("printed what was asked for")

// Program describes the program whose settings are loaded.
type Program struct {
	Name      string                      // of the program, such as "file-watcher"
	Prefix    string                      // of its variables, such as "OBBY_WATCHER"
	Summary   string                      // what it does, one sentence
	Version   string                      // what --version prints
	Args      []string                    // os.Args[1:]
	LookupEnv func(string) (string, bool) // os.LookupEnv
	Output    io.Writer                   // gets --help and --version
}

// Validator is what a settings struct may implement to check its values; it joins
// several errors. A struct with a Validate of its own asks those it embeds.
type Validator interface{ Validate() error }

// Setting is one setting as a person sees it.
type Setting struct {
	Flag     string // "--debounce"
	Variable string // "OBBY_WATCHER_DEBOUNCE"
	Default  string // as text; empty for none
	Usage    string
}

// Load fills the struct that dst points to; the values in it are the defaults.
// It returns ErrDone, or every error joined.
func Load(dst any, p Program) error {
	fields := fieldsOf(dst, p.Prefix)
	given, err := parseArgs(fields, p.Args)
	switch {
	case errors.Is(err, errHelp):
		return printed(io.WriteString(p.Output, help(p, fields)))
	case errors.Is(err, errVersion):
		return printed(fmt.Fprintln(p.Output, p.Version))
	}
	errs := []error{err}
	for _, f := range fields {
		if values, ok := given[f.name]; ok {
			errs = append(errs, f.set("--"+f.name, values))
		} else if value, ok := p.LookupEnv(f.variable); ok && value != "" {
			errs = append(errs, f.set(f.variable, f.split(value)))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if v, ok := dst.(Validator); ok {
		return v.Validate()
	}
	return nil
}

// Settings lists the settings of dst in their order.
func Settings(dst any, prefix string) []Setting {
	var settings []Setting
	for _, f := range fieldsOf(dst, prefix) {
		settings = append(settings, Setting{"--" + f.name, f.variable, f.text(), f.usage})
	}
	return settings
}

// Markdown returns the settings of dst as a table.
func Markdown(dst any, prefix string) string {
	var b strings.Builder
	b.WriteString("| flag | variable | default | meaning |\n|---|---|---|---|\n")
	for _, s := range Settings(dst, prefix) {
		value := ""
		if s.Default != "" {
			value = "`" + s.Default + "`"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", s.Flag, s.Variable, value, strings.ReplaceAll(s.Usage, "|", `\|`))
	}
	return b.String()
}

func printed(_ int, err error) error {
	if err != nil {
		return err
	}
	return ErrDone
}

// nearest returns the known name closest to a mistyped one, or "".
func nearest(name string, known []string) string {
	best := slices.MinFunc(append(known, ""), func(a, b string) int {
		return distance(name, a) - distance(name, b)
	})
	if distance(name, best) > 2 {
		return ""
	}
	return best
}

// distance is the Levenshtein distance of two short ASCII words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

// listSeparator parts the items of a list in one variable: not the colon, which
// stands in addresses and origins. An item with a comma is given by flag.
const listSeparator = ","
