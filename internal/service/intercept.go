package service

import (
	"context"
	"crypto/rand"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// requestIDKey is the metadata key that ties a caller's log to ours. Over HTTP it is
// the header of this name.
const requestIDKey = "x-request-id"

// maxRequestID bounds what a caller may put into our log lines.
const maxRequestID = 128

// Observer logs and counts calls.
type Observer struct {
	log    *slog.Logger
	calls  *prometheus.CounterVec
	took   *prometheus.HistogramVec
	panics prometheus.Counter
}

// NewObserver registers the metrics obby_<noun>_rpc_… of a service, where noun
// is the first word of its name that is not generic: watcher, tracker, query, hub.
func NewObserver(log *slog.Logger, r prometheus.Registerer, name string) Observer {
	prefix := "obby_" + noun(name) + "_rpc_"
	o := Observer{
		log: log,
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "calls_total", Help: "gRPC calls that have ended, by method and status code."}, []string{"method", "code"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: prefix + "duration_seconds", Help: "Duration of unary gRPC calls, by method.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8)}, []string{"method"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: prefix + "panics_total", Help: "gRPC calls that ended in a panic: a defect; the log has the stack."}),
	}
	r.MustRegister(o.calls, o.took, o.panics)
	return o
}

// noun picks the telling word of a service's name.
func noun(name string) string {
	for _, word := range strings.Split(name, "-") {
		switch word {
		case "file", "content", "sse", "service":
		default:
			return word
		}
	}
	return name
}

func (o Observer) observeUnary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	start := time.Now()
	resp, err := next(ctx, req)
	o.took.WithLabelValues(info.FullMethod).Observe(time.Since(start).Seconds())
	o.ended(ctx, info.FullMethod, start, err)
	return resp, err
}

func (o Observer) observeStream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	start := time.Now()
	err := next(srv, stream)
	o.ended(stream.Context(), info.FullMethod, start, err)
	return err
}

// ended counts a call and writes its access log line: at debug level, but a
// defect of ours as a warning.
func (o Observer) ended(ctx context.Context, method string, start time.Time, err error) {
	code := status.Code(err)
	o.calls.WithLabelValues(method, code.String()).Inc()
	level := slog.LevelDebug
	if code == codes.Internal || code == codes.Unknown || code == codes.DataLoss {
		level = slog.LevelWarn
	}
	o.log.Log(ctx, level, "call ended", "method", method, "code", code.String(), "took", time.Since(start), "request_id", requestID(ctx))
}

func (o Observer) recoverUnary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (resp any, err error) {
	defer o.recovered(ctx, info.FullMethod, &err)
	return next(ctx, req)
}

func (o Observer) recoverStream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
	defer o.recovered(stream.Context(), info.FullMethod, &err)
	return next(srv, stream)
}

func (o Observer) recovered(ctx context.Context, method string, err *error) {
	if cause := recover(); cause != nil {
		o.panics.Inc()
		o.log.ErrorContext(ctx, "call panicked", "method", method, "cause", cause,
			"request_id", requestID(ctx), "stack", string(debug.Stack()))
		*err = status.Error(codes.Internal, "internal error; the service's log has the cause")
	}
}

func identifyUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	ctx = identify(ctx)
	if err := grpc.SetHeader(ctx, metadata.Pairs(requestIDKey, requestID(ctx))); err != nil {
		return nil, err
	}
	return next(ctx, req)
}

func identifyStream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	ctx := identify(stream.Context())
	if err := stream.SetHeader(metadata.Pairs(requestIDKey, requestID(ctx))); err != nil {
		return err
	}
	return next(srv, &identifiedStream{stream, ctx})
}

type identifiedStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *identifiedStream) Context() context.Context { return s.ctx }

type requestIDContext struct{}

// identify takes the caller's request id where it can be logged and echoed, and
// makes one otherwise.
func identify(ctx context.Context) context.Context {
	md, _ := metadata.FromIncomingContext(ctx)
	given := ""
	if ids := md.Get(requestIDKey); len(ids) > 0 {
		given = ids[0]
	}
	return context.WithValue(ctx, requestIDContext{}, RequestID(given))
}

// RequestID returns the request id that a caller gave, or a new one where it gave
// none that can be logged and echoed.
func RequestID(given string) string {
	if usable(given) {
		return given
	}
	return rand.Text()
}

func usable(id string) bool {
	printable := !strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r > '~' })
	return id != "" && len(id) <= maxRequestID && printable
}

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDContext{}).(string)
	return id
}
