package service_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/obby/go-services/internal/service"
)

// probe is a gRPC service of three methods, described by hand: one answers, one
// panics, one streams until its caller or the test ends it.
type probe struct{ entered, release chan struct{} }

func (p *probe) desc() *grpc.ServiceDesc {
	unary := func(name string, handle grpc.UnaryHandler) grpc.MethodDesc {
		return grpc.MethodDesc{MethodName: name, Handler: func(srv any, ctx context.Context, dec func(any) error, chain grpc.UnaryServerInterceptor) (any, error) {
			req := new(emptypb.Empty)
			if err := dec(req); err != nil {
				return nil, err
			}
			return chain(ctx, req, &grpc.UnaryServerInfo{Server: srv, FullMethod: "/test.Probe/" + name}, handle)
		}}
	}
	return &grpc.ServiceDesc{
		ServiceName: "test.Probe", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{
			unary("Answer", func(context.Context, any) (any, error) { return new(emptypb.Empty), nil }),
			unary("Panic", func(context.Context, any) (any, error) { panic("a secret") }),
		},
		Streams: []grpc.StreamDesc{{StreamName: "Hang", ServerStreams: true, Handler: func(any, grpc.ServerStream) error {
			close(p.entered)
			<-p.release
			return nil
		}}, {StreamName: "Wait", ServerStreams: true, Handler: func(_ any, stream grpc.ServerStream) error {
			close(p.entered)
			<-stream.Context().Done() // as a call that its server cuts off
			return nil
		}}},
	}
}

// logBook is a log that a test reads while it is written.
type logBook struct {
	mu   sync.Mutex // guards text
	text strings.Builder
	grow chan struct{}
}

func (l *logBook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(b)
	select {
	case l.grow <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// running is a process under test.
type running struct {
	*probe
	log         *logBook
	grpc, admin string
	conn        *grpc.ClientConn
	stop        func() error // ends it and returns what Run returned
}

func start(t *testing.T, change func(*service.Process)) *running {
	t.Helper()
	r := &running{probe: &probe{make(chan struct{}), make(chan struct{})}, log: &logBook{grow: make(chan struct{}, 1)}}
	settings := service.Defaults("127.0.0.1:0", "127.0.0.1:0")
	settings.LogLevel = "debug"
	p := service.Process{
		Info: service.NewInfo("file-watcher"), Settings: settings, Log: settings.Logger(r.log, "file-watcher"),
		Metrics: prometheus.NewRegistry(), Health: service.NewHealth(),
		Register: func(s grpc.ServiceRegistrar) { s.RegisterService(r.desc(), r.probe) },
	}
	change(&p)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- service.Run(ctx, p) }()
	r.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = r.stop() })
	for !strings.Contains(r.log.String(), "msg=listening") {
		select {
		case <-r.log.grow:
		case err := <-ended:
			t.Fatalf("Run ended: %v", err)
		}
	}
	r.grpc, r.admin = r.attr("grpc"), r.attr("admin")
	conn, err := grpc.NewClient(r.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	r.conn = conn
	return r
}

// attr reads an attribute of the log, where it stands first.
func (r *running) attr(name string) string {
	_, rest, _ := strings.Cut(r.log.String(), " "+name+"=")
	value, _, _ := strings.Cut(rest, " ")
	return strings.TrimSpace(value)
}

func (r *running) get(t *testing.T, path string) (int, string) {
	t.Helper()
	resp, err := http.Get("http://" + r.admin + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestCalls(t *testing.T) {
	r := start(t, func(*service.Process) {})
	var header metadata.MD
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", "mine")
	if err := r.conn.Invoke(ctx, "/test.Probe/Answer", &emptypb.Empty{}, &emptypb.Empty{}, grpc.Header(&header)); err != nil {
		t.Fatal(err)
	}
	if got := header.Get("x-request-id"); !slices.Equal(got, []string{"mine"}) {
		t.Errorf("request id came back as %q", got)
	}
	err := r.conn.Invoke(metadata.AppendToOutgoingContext(t.Context(), "x-request-id", strings.Repeat("x", 1000)), "/test.Probe/Panic",
		&emptypb.Empty{}, &emptypb.Empty{}, grpc.Header(&header))
	if status.Code(err) != codes.Internal || strings.Contains(err.Error(), "a secret") {
		t.Errorf("a panic became %v, want INTERNAL without its cause", err)
	}
	if got := header.Get("x-request-id"); len(got) != 1 || len(got[0]) > 128 {
		t.Errorf("an over-long request id came back as %q", got)
	}
	if !strings.Contains(r.log.String(), "a secret") {
		t.Error("the log lacks the cause of the panic")
	}
	_, metrics := r.get(t, "/metrics")
	for _, want := range []string{
		`obby_watcher_rpc_calls_total{code="OK",method="/test.Probe/Answer"} 1`,
		`obby_watcher_rpc_calls_total{code="Internal",method="/test.Probe/Panic"} 1`,
		"obby_watcher_rpc_panics_total 1", `obby_build_info{service="file-watcher"`, "go_goroutines",
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}

func TestHealth(t *testing.T) {
	health := service.NewHealth()
	r := start(t, func(p *service.Process) { p.Health = health })
	check := func(name string) healthv1.HealthCheckResponse_ServingStatus {
		resp, err := healthv1.NewHealthClient(r.conn).Check(t.Context(), &healthv1.HealthCheckRequest{Service: name})
		if err != nil {
			t.Fatal(err)
		}
		return resp.Status
	}
	expect := func(want healthv1.HealthCheckResponse_ServingStatus, code int, text string) {
		t.Helper()
		for _, name := range []string{"", "test.Probe"} {
			if got := check(name); got != want {
				t.Errorf("health of %q is %v, want %v", name, got, want)
			}
		}
		if gotCode, got := r.get(t, "/readyz"); gotCode != code || !strings.Contains(got, text) {
			t.Errorf("/readyz answers %d %q, want %d %q", gotCode, got, code, text)
		}
	}
	expect(healthv1.HealthCheckResponse_NOT_SERVING, 503, "starting")
	health.Set(nil)
	expect(healthv1.HealthCheckResponse_SERVING, 200, "ok")
	health.Set(errors.New("no database yet"))
	health.Set(errors.New("no database yet"))
	expect(healthv1.HealthCheckResponse_NOT_SERVING, 503, "no database yet")
	if n := strings.Count(r.log.String(), "no database yet"); n != 1 {
		t.Errorf("the reason was logged %d times, want once", n)
	}
	if !strings.Contains(r.log.String(), "WARN") {
		t.Errorf("a service that stops to serve does not warn: %s", r.log)
	}
	if code, _ := r.get(t, "/debug/pprof/"); code != http.StatusNotFound {
		t.Errorf("/debug/pprof/ answers %d without being asked for", code)
	}
}

func TestAddressTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	settings := service.Defaults("127.0.0.1:0", taken.Addr().String())
	closed := false
	err = service.Run(t.Context(), service.Process{
		Info: service.NewInfo("x"), Settings: settings, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
		Health: service.NewHealth(), Register: func(grpc.ServiceRegistrar) {},
		Close: []service.Step{{Name: "store", Run: func(context.Context) error { closed = true; return nil }}},
	})
	if err == nil || !strings.Contains(err.Error(), taken.Addr().String()) || !strings.Contains(err.Error(), "--admin") {
		t.Errorf("error is %v, want one that names the address and the flag", err)
	}
	if !closed {
		t.Error("the store was not closed")
	}
}

func TestStopOrder(t *testing.T) {
	var mu sync.Mutex // guards order
	var order []string
	note := func(name string) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, name)
	}
	var r *running
	r = start(t, func(p *service.Process) {
		p.Health.Set(nil)
		p.Drain = []service.Step{{Name: "streams", Run: func(context.Context) error {
			_, ready := r.get(t, "/readyz")
			note("drain, readiness " + strings.TrimSpace(ready))
			close(r.release)
			return nil
		}}}
		p.Workers = []service.Worker{{Name: "worker", Run: func(ctx context.Context) error {
			<-ctx.Done()
			note("worker")
			return ctx.Err()
		}}}
		p.Close = []service.Step{{Name: "store", Run: func(context.Context) error { note("close"); return nil }}}
	})
	stream, err := r.conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true}, "/test.Probe/Hang")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(stream.SendMsg(&emptypb.Empty{}), stream.CloseSend()); err != nil {
		t.Fatal(err)
	}
	<-r.entered
	if err := r.stop(); err != nil {
		t.Errorf("Run returned %v", err)
	}
	if want := []string{"drain, readiness stopping", "worker", "close"}; !slices.Equal(order, want) {
		t.Errorf("order was %q, want %q", order, want)
	}
	if err := stream.RecvMsg(&emptypb.Empty{}); err != io.EOF {
		t.Errorf("the drained stream ended with %v, want EOF", err)
	}
}

func TestStopIsBounded(t *testing.T) {
	r := start(t, func(p *service.Process) {
		p.Settings.StopTimeout = 50 * time.Millisecond
		p.Drain = []service.Step{{Name: "endless", Run: func(context.Context) error { select {} }}}
	})
	if err := r.stop(); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "endless") {
		t.Errorf("Run returned %v, want the name of the endless step", err)
	}
	if !strings.Contains(r.log.String(), "abandoned") {
		t.Error("the log does not say that a step was abandoned")
	}
}

// A call that does not end is cut off in time for an ordinary stop.
func TestStuckCallIsCutOff(t *testing.T) {
	r := start(t, func(p *service.Process) { p.Settings.StopTimeout = 200 * time.Millisecond })
	defer close(r.release)
	stream, err := r.conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true}, "/test.Probe/Wait")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(stream.SendMsg(&emptypb.Empty{}), stream.CloseSend()); err != nil {
		t.Fatal(err)
	}
	<-r.entered
	if err := r.stop(); err != nil {
		t.Errorf("Run returned %v, want an ordinary stop", err)
	}
}

// A call that came by HTTP is finished before gRPC stops, which would cut it off.
func TestHTTPOverGRPC(t *testing.T) {
	var r *running
	r = start(t, func(p *service.Process) {
		p.HTTP = []service.HTTP{{Name: "http", Addr: "127.0.0.1:0", Server: &http.Server{}, OverGRPC: func(s *grpc.Server) (http.Handler, error) {
			return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				req.ProtoMajor = 2 // as a transcoder does
				s.ServeHTTP(w, req)
			}), nil
		}}}
		p.Drain = []service.Step{{Name: "streams", Run: func(context.Context) error {
			go func() { // ends with the release
				for !strings.Contains(r.log.String(), "step=http") {
					<-r.log.grow
				}
				close(r.release)
			}()
			return nil
		}}}
	})
	answered := make(chan string, 1)
	go func() {
		resp, err := http.Post("http://"+r.attr("http")+"/test.Probe/Hang", "application/grpc", strings.NewReader("\x00\x00\x00\x00\x00"))
		if err != nil {
			answered <- err.Error()
			return
		}
		_, err = io.Copy(io.Discard, resp.Body)
		answered <- fmt.Sprint(resp.Trailer.Get("Grpc-Status"), err)
		resp.Body.Close()
	}()
	<-r.entered
	if err := r.stop(); err != nil {
		t.Errorf("Run returned %v", err)
	}
	if got := <-answered; got != "0<nil>" {
		t.Errorf("the call ended with %s, want OK", got)
	}
}

func TestHTTPOverGRPCFails(t *testing.T) {
	closed := false
	err := service.Run(t.Context(), service.Process{
		Info: service.NewInfo("file-watcher"), Settings: service.Defaults("127.0.0.1:0", "127.0.0.1:0"), Log: slog.New(slog.DiscardHandler),
		Metrics: prometheus.NewRegistry(), Health: service.NewHealth(), Register: func(grpc.ServiceRegistrar) {},
		HTTP: []service.HTTP{{Name: "http", Addr: "127.0.0.1:0", Server: &http.Server{}, OverGRPC: func(*grpc.Server) (http.Handler, error) {
			return nil, errors.New("a path twice")
		}}},
		Close: []service.Step{{Name: "store", Run: func(context.Context) error { closed = true; return nil }}},
	})
	if err == nil || err.Error() != "serve http: a path twice" || !closed {
		t.Errorf("error is %v; closed: %v", err, closed)
	}
}

func TestWorkerFails(t *testing.T) {
	for name, run := range map[string]func(context.Context) error{
		"error": func(context.Context) error { return errors.New("the cause") },
		"panic": func(context.Context) error { panic("the cause") },
	} {
		t.Run(name, func(t *testing.T) {
			settings := service.Defaults("127.0.0.1:0", "127.0.0.1:0")
			err := service.Run(t.Context(), service.Process{
				Info: service.NewInfo("x"), Settings: settings, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
				Health: service.NewHealth(), Register: func(grpc.ServiceRegistrar) {},
				Workers: []service.Worker{{Name: "checkpointer", Run: run}},
			})
			if err == nil || !strings.Contains(err.Error(), "checkpointer") || !strings.Contains(err.Error(), "the cause") {
				t.Errorf("Run returned %v, want the worker's name and cause", err)
			}
		})
	}
}

func TestSettingsValidate(t *testing.T) {
	s := service.Settings{Listen: "nonsense", Admin: "127.0.0.1:0", Reflection: "maybe", LogLevel: "loud", LogFormat: "xml"}
	err := s.Validate()
	for _, want := range []string{"--listen", "--reflection", "--log-level", "--log-format", "--stop-timeout"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("errors lack %s: %v", want, err)
		}
	}
	good := service.Defaults("127.0.0.1:0", "127.0.0.1:0")
	if err := good.Validate(); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
}
