package web

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/obby/go-services/internal/rpcerr"
)

// endpoint is one REST path. All of them are GET.
type endpoint struct {
	request protoreflect.MessageDescriptor
	vars    []string // fields whose values stand in the path
	path    string   // what vanguard is to see, for these fields without their values
	calls   http.Handler
}

var variable = regexp.MustCompile(`\{(\w+)\}`)

// handleREST adds the paths that the contract names. A method without one, such as a
// stream, has no REST form.
func handleREST(mux *http.ServeMux, calls http.Handler) error {
	methods := methods()
	for i := range methods.Len() {
		method := methods.Get(i)
		rule, _ := proto.GetExtension(method.Options(), annotations.E_Http).(*annotations.HttpRule)
		if rule == nil {
			continue
		}
		if rule.GetGet() == "" {
			return fmt.Errorf("%s: only GET paths are known here", method.FullName())
		}
		e := &endpoint{request: method.Input(), calls: calls}
		for _, found := range variable.FindAllStringSubmatch(rule.GetGet(), -1) {
			e.vars = append(e.vars, found[1])
		}
		// The values come as parameters: vanguard would split a path at a slash
		// within a value.
		e.path = variable.ReplaceAllString(rule.GetGet(), "0")
		mux.Handle("GET "+rule.GetGet(), e)
		mux.HandleFunc(rule.GetGet(), refuseMethod)
	}
	return nil
}

// ServeHTTP implements http.Handler. It reads the parameters, so that what is wrong
// is said, and hands them on.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	values, err := e.parameters(r)
	if err != nil {
		writeError(w, http.StatusBadRequest, err)
		return
	}
	next := r.Clone(r.Context())
	next.Method, next.Body, next.ContentLength = http.MethodGet, http.NoBody, 0 // of HEAD, too
	next.URL = &url.URL{Path: e.path, RawQuery: values.Encode()}
	for _, header := range []string{"Content-Type", "Content-Encoding", "Content-Length", "Connect-Protocol-Version"} {
		next.Header.Del(header) // of a body that there is not; vanguard would look at them
	}
	e.calls.ServeHTTP(w, next)
}

// parameters returns the fields of the request with their values in the form that
// vanguard reads.
func (e *endpoint) parameters(r *http.Request) (url.Values, error) {
	if r.ContentLength != 0 { // -1: in chunks
		return nil, rpcerr.Field("body", "a GET request takes none: give the fields as parameters of the URL")
	}
	given, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, rpcerr.Field("query", "the part of the URL after ? cannot be read: %v", err)
	}
	read := newReader(e.request)
	for _, name := range e.vars {
		if err := read.add(name, []string{r.PathValue(name)}); err != nil {
			return nil, err
		}
	}
	return read.values, read.all(given)
}

func refuseMethod(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", "GET, HEAD, OPTIONS")
	refuse(w, http.StatusMethodNotAllowed, errMethod, "%s is not a method of %s: use GET", r.Method, r.URL.Path)
}
