package web

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

// parameter names the query parameter of a request's field.
var parameter = map[string]string{"topics": "topic", "last_count": "last", "client_id": "client_id"}

// readRequest reads a subscription from a URL and the Last-Event-ID header. What
// is mistyped is refused and not ignored (hub case 54).
func readRequest(r *http.Request) (hub.Request, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return hub.Request{}, fmt.Errorf("the query cannot be read: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		switch name {
		case "topic":
		case "last", "last_event_id", "client_id", "ticket":
			if len(query[name]) > 1 {
				return hub.Request{}, fmt.Errorf("%s: is given %d times", name, len(query[name]))
			}
		default:
			return hub.Request{}, fmt.Errorf("%q is not a parameter: there are topic, last, last_event_id, client_id and ticket", name)
		}
	}
	request := hub.Request{Topics: query["topic"], LastID: query.Get("last_event_id"), ClientID: query.Get("client_id")}
	// A browser that connects again repeats the URL: the header is the newer (hub case 39).
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		request.LastID = id
	}
	if last := query.Get("last"); last != "" {
		if request.LastCount, err = strconv.Atoi(last); err != nil {
			return hub.Request{}, fmt.Errorf("last: %q is not a whole number", last)
		}
	}
	return request, explain(request.Validate())
}

// explain puts the domain's words on a field into those of the URL.
func explain(err error) error {
	var invalid *hub.InvalidError
	if errors.As(err, &invalid) {
		return fmt.Errorf("%s: %s", parameter[invalid.Field], invalid.Reason)
	}
	return err
}
