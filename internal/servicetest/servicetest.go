// Package servicetest helps to test gRPC services as they run: the real server
// with the interceptors of production, a real client, an in-memory connection.
package servicetest

import (
	"context"
	"log/slog"
	"net"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/obby/go-services/internal/service"
)

// Dial serves what register registers and returns a connection to it. Both end
// with the test.
func Dial(t testing.TB, register func(grpc.ServiceRegistrar)) *grpc.ClientConn {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	observer := service.NewObserver(slog.New(slog.DiscardHandler), prometheus.NewRegistry(), "test")
	server := grpc.NewServer(service.ServerOptions(observer)...)
	register(server)
	go func() { _ = server.Serve(listener) }() // stopped by the cleanup below
	conn, err := grpc.NewClient("passthrough:///bufconn",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(service.MaxMessageBytes), grpc.MaxCallSendMsgSize(service.MaxMessageBytes)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		server.Stop()
	})
	return conn
}
