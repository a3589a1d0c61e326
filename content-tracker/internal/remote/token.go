package remote

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// WithTokenFile sends the token in a file with every call. The file is read each
// time: who issues tokens renews it before it expires.
func WithTokenFile(path string) grpc.DialOption {
	return grpc.WithPerRPCCredentials(tokenFile(path))
}

type tokenFile string

var _ credentials.PerRPCCredentials = tokenFile("")

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (f tokenFile) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	token, err := os.ReadFile(string(f))
	if err != nil {
		return nil, fmt.Errorf("token for the hub: %w", err)
	}
	return map[string]string{"authorization": "Bearer " + string(bytes.TrimSpace(token))}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials: services of
// one machine speak in clear text over loopback.
func (tokenFile) RequireTransportSecurity() bool { return false }
