package web

import (
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/obby/go-services/internal/rpcerr"
)

// reader reads the parameters of a URL as the fields of a message, named as in the
// contract or as in JSON, those of a message within it behind a dot. What is mistyped
// is refused and not ignored.
type reader struct {
	message protoreflect.MessageDescriptor
	values  url.Values                       // by name in the contract
	chosen  map[protoreflect.FullName]string // parameter by oneof
}

func newReader(message protoreflect.MessageDescriptor) *reader {
	return &reader{message: message, values: url.Values{}, chosen: map[protoreflect.FullName]string{}}
}

// all adds every parameter, in the order of their names.
func (r *reader) all(given url.Values) error {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if err := r.add(name, given[name]); err != nil {
			return err
		}
	}
	return nil
}

// add reads one parameter, which may stand in the URL several times.
func (r *reader) add(name string, texts []string) error {
	field, path, err := r.find(name)
	if err != nil {
		return err
	}
	if len(texts) > 1 && !field.IsList() || r.values.Has(path) {
		return rpcerr.Field(path, "is given more than once")
	}
	if one := field.ContainingOneof(); one != nil && !one.IsSynthetic() {
		within := protoreflect.FullName(strings.TrimSuffix(path, string(field.Name()))) + one.FullName()
		if other := r.chosen[within]; other != "" {
			return rpcerr.Field(path, "%s is given, too: give one of them", other)
		}
		r.chosen[within] = path
	}
	for _, text := range texts {
		value, err := readValue(field, path, text)
		if err != nil {
			return err
		}
		r.values.Add(path, value)
	}
	return nil
}

// find returns the field that a parameter names, and its name in the contract.
func (r *reader) find(name string) (protoreflect.FieldDescriptor, string, error) {
	var path []string
	message := r.message
	parts := strings.Split(name, ".")
	for i, part := range parts {
		field := message.Fields().ByName(protoreflect.Name(part))
		if field == nil {
			field = message.Fields().ByJSONName(part)
		}
		if field == nil {
			return nil, "", rpcerr.Field(name, "is not a parameter: there are %s", strings.Join(names(message, strings.Join(parts[:i], ".")), ", "))
		}
		path = append(path, string(field.Name()))
		nested := isGroup(field)
		switch last := i == len(parts)-1; {
		case last && nested:
			return nil, "", rpcerr.Field(name, "is a group: there are %s", strings.Join(names(field.Message(), name), ", "))
		case last:
			return field, strings.Join(path, "."), nil
		case !nested:
			return nil, "", rpcerr.Field(name, "%s is not a group of parameters", strings.Join(path, "."))
		}
		message = field.Message()
	}
	return nil, "", rpcerr.Field(name, "is not a parameter") // no name has no part
}

// isGroup reports whether a field holds fields of its own and is no value.
func isGroup(field protoreflect.FieldDescriptor) bool {
	return field.Kind() == protoreflect.MessageKind && !isTime(field)
}

func isTime(field protoreflect.FieldDescriptor) bool {
	return field.Kind() == protoreflect.MessageKind && field.Message().FullName() == (&timestamppb.Timestamp{}).ProtoReflect().Descriptor().FullName()
}

// names lists the parameters of a message, behind a prefix.
func names(message protoreflect.MessageDescriptor, prefix string) (all []string) {
	if prefix != "" {
		prefix += "."
	}
	for i := range message.Fields().Len() {
		field := message.Fields().Get(i)
		name := prefix + string(field.Name())
		if isGroup(field) {
			name += ".…"
		}
		all = append(all, name)
	}
	return all
}

// readValue checks a value and returns it in a form about which vanguard, too, has
// one opinion.
func readValue(field protoreflect.FieldDescriptor, path, text string) (string, error) {
	switch field.Kind() {
	case protoreflect.Int32Kind, protoreflect.Int64Kind:
		bits := 64
		if field.Kind() == protoreflect.Int32Kind {
			bits = 32
		}
		n, err := strconv.ParseInt(text, 10, bits)
		if err != nil {
			return "", rpcerr.Field(path, "%q is not a whole number of %d bits", text, bits)
		}
		return strconv.FormatInt(n, 10), nil
	case protoreflect.BoolKind:
		if text != "true" && text != "false" {
			return "", rpcerr.Field(path, "%q is neither true nor false", text)
		}
	case protoreflect.StringKind:
		if !utf8.ValidString(text) {
			return "", rpcerr.Field(path, "is not UTF-8: where there is a parameter of this name behind raw_, give its bytes there as base64")
		}
	case protoreflect.BytesKind:
		return readBytes(path, text)
	case protoreflect.EnumKind:
		return readEnum(field.Enum(), path, text)
	case protoreflect.MessageKind: // a time: find lets no other pass
		return readTime(path, text)
	}
	return text, nil
}

// readBytes takes base64 of both alphabets, with or without its padding.
func readBytes(path, text string) (string, error) {
	plain := strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(text, "="))
	data, err := base64.RawURLEncoding.DecodeString(plain)
	if err != nil {
		return "", rpcerr.Field(path, "is not base64; in a URL a + is written as %%2B or -")
	}
	return base64.URLEncoding.EncodeToString(data), nil
}

func readEnum(enum protoreflect.EnumDescriptor, path, text string) (string, error) {
	values := enum.Values()
	if n, err := strconv.ParseInt(text, 10, 32); err == nil && values.ByNumber(protoreflect.EnumNumber(n)) != nil {
		return string(values.ByNumber(protoreflect.EnumNumber(n)).Name()), nil
	}
	if values.ByName(protoreflect.Name(text)) != nil {
		return text, nil
	}
	var all []string
	for i := range values.Len() {
		all = append(all, string(values.Get(i).Name()))
	}
	return "", rpcerr.Field(path, "%q is not one of %s", text, strings.Join(all, ", "))
}

func readTime(path, text string) (string, error) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || !timestamppb.New(at).IsValid() {
		return "", rpcerr.Field(path, "%q is not a time: give it as 2026-01-31T09:00:00Z or 2026-01-31T09:00:00%%2B01:00 (a + in a URL is written as %%2B)", text)
	}
	return at.UTC().Format(time.RFC3339Nano), nil
}
