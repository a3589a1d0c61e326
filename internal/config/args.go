package config

import (
	"errors"
	"fmt"
	"strings"
)

var (
	errHelp    = errors.New("help asked for")
	errVersion = errors.New("version asked for")
)

// parseArgs collects the values given for each flag, in order. It takes -flag
// and --flag, "=value" or the next argument, and bare flags for booleans.
func parseArgs(fields []field, args []string) (map[string][]string, error) {
	given := map[string][]string{}
	var errs []error
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		name, value, hasValue := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
		switch {
		case !strings.HasPrefix(arg, "-") || name == "":
			errs = append(errs, fmt.Errorf("%q is not a flag: settings are given as --name value; see --help", arg))
			continue
		case name == "help" || name == "h":
			return nil, errHelp
		case name == "version":
			return nil, errVersion
		}
		f, err := find(fields, name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if !hasValue && f.isBool() {
			value, hasValue = "true", true
		}
		if !hasValue {
			if len(args) == 0 {
				errs = append(errs, fmt.Errorf("--%s: needs a value", name))
				break
			}
			value, args = args[0], args[1:]
		}
		given[name] = append(given[name], value)
	}
	return given, errors.Join(errs...)
}

func find(fields []field, name string) (field, error) {
	var known []string
	for _, f := range fields {
		if f.name == name {
			return f, nil
		}
		known = append(known, f.name)
	}
	if near := nearest(name, known); near != "" {
		return field{}, fmt.Errorf("--%s is not a setting: did you mean --%s?", name, near)
	}
	return field{}, fmt.Errorf("--%s is not a setting: see --help", name)
}

// help returns the text of --help.
func help(p Program, fields []field) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\nUsage: %s [--setting value ...]\n\n", p.Name, p.Summary, p.Name)
	b.WriteString("Each setting is a flag or an environment variable; the flag wins.\n")
	b.WriteString("A list repeats its flag, or separates its variable's items with \"" + listSeparator + "\".\n\n")
	for _, f := range fields {
		fmt.Fprintf(&b, "  --%s\n      %s\n      variable %s", f.name, f.usage, f.variable)
		if text := f.text(); text != "" {
			fmt.Fprintf(&b, ", default %s", text)
		}
		b.WriteString("\n")
	}
	b.WriteString("  --help\n      print this text\n  --version\n      print the version\n")
	return b.String()
}
