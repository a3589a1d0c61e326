package page_test

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/types/known/apipb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/obby/go-services/internal/page"
	"github.com/obby/go-services/internal/rpcerr"
)

func TestSize(t *testing.T) {
	for _, tc := range []struct{ requested, want int }{{0, 50}, {1, 1}, {1000, 1000}, {1 << 30, 1000}} {
		if got, err := page.Size(int32(tc.requested), 50, 1000); err != nil || got != tc.want {
			t.Errorf("Size(%d) = %d, %v, want %d", tc.requested, got, err, tc.want)
		}
	}
	if _, err := page.Size(-1, 50, 1000); err == nil {
		t.Error("a negative size was accepted")
	}
}

func TestToken(t *testing.T) {
	args := page.Args(&apipb.Api{Name: "a"})
	token, err := page.Token(int64(42), args)
	if err != nil {
		t.Fatal(err)
	}
	var cursor int64
	if ok, err := page.Parse(token, args, &cursor); !ok || err != nil || cursor != 42 {
		t.Errorf("Parse = %v, %v, cursor %d, want 42", ok, err, cursor)
	}
	if ok, err := page.Parse("", args, &cursor); ok || err != nil {
		t.Errorf("Parse of no token = %v, %v", ok, err)
	}
	for name, parse := range map[string]func() (bool, error){
		"garbage":         func() (bool, error) { return page.Parse("!!", args, &cursor) },
		"short":           func() (bool, error) { return page.Parse("AAAA", args, &cursor) },
		"other arguments": func() (bool, error) { return page.Parse(token, page.Args(&apipb.Api{Name: "b"}), &cursor) },
		"other method":    func() (bool, error) { return page.Parse(token, page.Args(wrapperspb.String("a")), &cursor) },
	} {
		var field *rpcerr.FieldError
		if _, err := parse(); !errors.As(err, &field) || field.Field != "page_token" {
			t.Errorf("%s: error is %v, want a violation of page_token", name, err)
		}
	}
}
