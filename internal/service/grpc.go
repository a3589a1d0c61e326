package service

import (
	"time"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
)

// MaxMessageBytes bounds a gRPC message in either direction. The clients have
// the same number; grpc-go's default of 4 MiB would refuse a large diff.
const MaxMessageBytes = 16 << 20

// Clients ping every 30 s, also without a call; grpc-go's default answers that
// with GOAWAY "too_many_pings" after the third.
var (
	enforcement = keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}
	serverPings = keepalive.ServerParameters{Time: 2 * time.Minute, Timeout: 20 * time.Second}
)

// ServerOptions are the gRPC options of every service, with its interceptors in
// their order, outermost first: request id, metrics, access log, panic recovery.
// A panic is thus logged and counted as the INTERNAL that the caller gets, under
// the request id that the caller knows.
func ServerOptions(o Observer) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.KeepaliveEnforcementPolicy(enforcement),
		grpc.KeepaliveParams(serverPings),
		grpc.MaxRecvMsgSize(MaxMessageBytes),
		grpc.MaxSendMsgSize(MaxMessageBytes),
		grpc.ChainUnaryInterceptor(identifyUnary, o.observeUnary, o.recoverUnary),
		grpc.ChainStreamInterceptor(identifyStream, o.observeStream, o.recoverStream),
	}
}

// newServer returns the gRPC server with the process's API, health and, where
// asked for, reflection.
func newServer(p *Process, reflect bool) *grpc.Server {
	server := grpc.NewServer(ServerOptions(NewObserver(p.Log, p.Metrics, p.Info.Name))...)
	p.Register(server)
	var names []string
	for name := range server.GetServiceInfo() {
		names = append(names, name)
	}
	p.Health.attach(names, p.Log)
	healthv1.RegisterHealthServer(server, p.Health.server)
	if reflect {
		reflection.Register(server)
	}
	return server
}
