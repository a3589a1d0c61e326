package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Bytes is a size in bytes, written as a plain number or with KiB, MiB or GiB.
type Bytes int64

var units = []struct {
	suffix string
	size   Bytes
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

// String writes the size with the largest unit that divides it.
func (b Bytes) String() string {
	for _, u := range units {
		if b != 0 && b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

func parseBytes(text string) (Bytes, error) {
	size := Bytes(1)
	for _, u := range units {
		if number, ok := strings.CutSuffix(text, u.suffix); ok {
			text, size = strings.TrimSpace(number), u.size
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > int64(1<<62/size) {
		return 0, strconv.ErrSyntax
	}
	return Bytes(n) * size, nil
}

// field is one setting of the struct.
type field struct {
	name, variable, usage string
	value                 reflect.Value
}

func fieldsOf(dst any, prefix string) []field { return collect(reflect.ValueOf(dst).Elem(), prefix) }

func collect(v reflect.Value, prefix string) []field {
	var fields []field
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			fields = append(fields, collect(v.Field(i), prefix)...)
		} else if name := f.Tag.Get("name"); name != "" {
			variable := prefix + "_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
			fields = append(fields, field{name, variable, f.Tag.Get("usage"), v.Field(i)})
		}
	}
	return fields
}

func (f field) isBool() bool { return f.value.Kind() == reflect.Bool }

// split returns the values in one variable.
func (f field) split(value string) []string {
	if f.value.Kind() == reflect.Slice {
		return strings.Split(value, listSeparator)
	}
	return []string{value}
}

// text returns the present value for a person.
func (f field) text() string {
	if list, ok := f.value.Interface().([]string); ok {
		return strings.Join(list, listSeparator)
	}
	return fmt.Sprint(f.value.Interface())
}

// set parses the values given under a name; a list takes all, others the last.
func (f field) set(source string, values []string) error {
	last := values[len(values)-1]
	var parsed any
	var err error
	var form string
	switch f.value.Interface().(type) {
	case string:
		parsed = last
	case []string:
		parsed = values
	case bool:
		parsed, err = strconv.ParseBool(last)
		form = "true or false"
	case time.Duration:
		parsed, err = time.ParseDuration(last)
		form = "a duration such as 500ms, 2s or 1h"
	case Bytes:
		parsed, err = parseBytes(last)
		form = "a size such as 10MiB, 512KiB or a number of bytes"
	case int:
		parsed, err = strconv.Atoi(last)
		form = "a whole number"
	default:
		panic("config: field " + f.name + " has a type that no setting can have")
	}
	if err != nil {
		return fmt.Errorf("%s: %q is not usable: give %s", source, last, form)
	}
	f.value.Set(reflect.ValueOf(parsed))
	return nil
}
