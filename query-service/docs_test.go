package main

import (
	"os"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"

	"github.com/obby/go-services/internal/configtest"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
)

func TestSettingsAreDocumented(t *testing.T) {
	cfg := defaults()
	configtest.Documented(t, &cfg, "OBBY_QUERY", "query-service")
}

// docs/api.md lists every path of the contract.
func TestPathsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	methods := queryv1.File_obby_query_v1_query_proto.Services().Get(0).Methods()
	for i := range methods.Len() {
		rule, _ := proto.GetExtension(methods.Get(i).Options(), annotations.E_Http).(*annotations.HttpRule)
		if path := rule.GetGet(); !strings.Contains(string(text), "| `"+path+"` |") && path != "" {
			t.Errorf("docs/api.md lacks %s", path)
		}
	}
}
