// Package server assembles the gateway: configuration, TLS, authentication, lifecycle.
//
// TLS 1.3 on every port. In development a CA, keys and tokens are made on the first start, files
// 0600; production refuses to make any. Only health answers without an authenticated party.
package server

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	"github.com/yumen-project/yumen/gateway/alarms"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/rest"
	"github.com/yumen-project/yumen/gateway/rpc"
)

// maxMessage bounds one gRPC message; a batch of spec.MaxBatch subjects fits.
const maxMessage = 16 << 20

// Server is one running gateway.
type Server struct {
	config    *Config
	logger    *slog.Logger
	runner    *job.Runner    // nil when sealed
	encrypted *job.Encrypted // what it cannot read; nil when sealed
	sealed    string         // why, when sealed
	auth      *authenticator
	feeds     *feeds
	metrics   *metrics

	grpc   *grpc.Server
	http   *http.Server
	health *health.Server
	gl, hl net.Listener
	ready  atomic.Bool
}

// Open makes a gateway ready to run. The configuration must be Complete. When log and checkpoint
// differ it comes up sealed: see Sealed.
func Open(ctx context.Context, c *Config, build string, logger *slog.Logger) (*Server, error) {
	s := &Server{config: c, logger: logger, metrics: newMetrics(answeredMethods())}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, errors.New("data.dir: not writable")
	}
	first, err := readDomainFiles(c)
	if err != nil {
		return nil, err
	}
	tlsConfig, err := serverTLS(c, time.Now())
	if err != nil {
		return nil, err
	}
	if s.auth, err = newAuthenticator(c); err != nil {
		return nil, err
	}
	if err := s.openRunner(ctx, build); err != nil {
		return nil, err
	}
	if err := s.listen(tlsConfig); err != nil {
		return nil, errors.Join(err, s.closeRunner())
	}
	if err := s.assemble(ctx, tlsConfig); err != nil {
		return nil, errors.Join(err, s.closeRunner())
	}
	if first != nil && s.runner != nil {
		if _, err := s.runner.Apply(ctx, first); err != nil {
			return nil, errors.Join(fmt.Errorf("apply domain file: %w", err), s.closeRunner())
		}
	}
	return s, s.developmentTokens()
}

// readDomainFiles reads the files put in force at start, and takes the domain's id from them where
// the configuration names none.
func readDomainFiles(c *Config) (*spec.Change, error) {
	if c.DomainFile == "" {
		if c.Domain == "" {
			c.Domain = "development"
		}
		return nil, nil
	}
	file, err := os.ReadFile(c.DomainFile)
	if err != nil {
		return nil, errors.New("domain.file: unreadable")
	}
	approvals := c.ApprovalsFile
	if approvals == "" {
		approvals = ApprovalsBeside(c.DomainFile)
	}
	signed, err := os.ReadFile(approvals)
	if err != nil && (c.ApprovalsFile != "" || !errors.Is(err, os.ErrNotExist)) {
		return nil, errors.New("domain.approvals: unreadable")
	}
	if c.Domain == "" {
		d, err := governance.ParseDomain(file)
		if err != nil {
			return nil, fmt.Errorf("domain.file: %w", err)
		}
		c.Domain = d.ID
	}
	return &spec.Change{Party: job.Local, Domain: file, Approvals: signed}, nil
}

// ApprovalsBeside is where the approvals of a domain file lie unless said otherwise.
func ApprovalsBeside(domainFile string) string {
	return strings.TrimSuffix(strings.TrimSuffix(domainFile, ".yaml"), ".yml") + ".approvals.yaml"
}

func (s *Server) openRunner(ctx context.Context, build string) error {
	c := s.config
	ring, err := keyring.Open(filepath.Join(c.DataDir, "keys"), keyring.Options{Production: c.Mode == "production", Rand: rand.Reader, KEK: s.kek()})
	if err != nil {
		return err
	}
	s.feeds = &feeds{}
	s.runner, err = job.Open(ctx, job.Options{
		Domain: c.Domain, LogDir: filepath.Join(c.DataDir, "log"), CheckpointDir: c.CheckpointDir,
		IndexDir: filepath.Join(c.DataDir, "index"), DevZone: filepath.Join(c.DataDir, "devzone"), TrustDir: filepath.Join(c.DataDir, "trust"),
		Ring: ring, Source: sources(c.SourceRoot), Build: build, Clock: time.Now, Rand: rand.Reader,
		Logger: s.logger, CacheBytes: c.cacheBytes, Ready: s.feeds.ready, Alarms: c.thresholds, SuspendOn: c.suspendOn,
		AttackHour: c.attackHour, OnAttack: s.metrics.attacked,
		OnAlarm: func(a alarms.Alarm) { s.metrics.alarms.WithLabelValues(string(a.Rule)).Inc() },
	})
	var differ *audit.SealedError
	if errors.As(err, &differ) {
		s.sealed = differ.Reason
		s.logger.Error("gateway is sealed", slog.String("reason", differ.Reason))
		return nil
	}
	if err != nil {
		return err
	}
	s.feeds.start(&c.feeds, s.runner, s.logger)
	if err := s.openEncrypted(); err != nil {
		return errors.Join(err, s.closeRunner())
	}
	return nil
}

// kek reads the key that wraps the others; keyring refuses a key of the wrong length.
func (s *Server) kek() []byte {
	if s.config.KEKFile == "" {
		return nil
	}
	key, err := os.ReadFile(s.config.KEKFile)
	if err != nil {
		return []byte{0}
	}
	return key
}

func (s *Server) listen(_ *tls.Config) error {
	var err error
	if s.gl, err = Listen(s.config.ListenGRPC); err != nil {
		return errors.New("listen.grpc: address not usable")
	}
	if s.hl, err = net.Listen("tcp", s.config.ListenHTTP); err != nil {
		return errors.Join(errors.New("listen.http: address not usable"), s.gl.Close())
	}
	return nil
}

// streamWorkers keep their stacks warm. A call waits for its group commit, so there must be more workers
// than calls in flight, or each call grows a fresh stack.
const streamWorkers = 256

// GRPCOptions are the options of the gRPC server, TLS aside; a benchmark's bare server takes the same.
func GRPCOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(4 * maxMessage), grpc.MaxConcurrentStreams(1024),
		grpc.MaxHeaderListSize(16 << 10), grpc.NumStreamWorkers(streamWorkers),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second}),
		grpc.ConnectionTimeout(10 * time.Second),
	}
}

func (s *Server) assemble(ctx context.Context, tlsConfig *tls.Config) error {
	services := s.services()
	s.health = health.NewServer()
	m := s.metrics
	codec, err := rpc.Codec()
	if err != nil {
		return err
	}
	options := append(GRPCOptions(), grpc.ForceServerCodecV2(codec), grpc.Creds(credentials.NewTLS(tlsConfig)), grpc.InTapHandle(s.auth.tap), grpc.ChainUnaryInterceptor(m.unary), grpc.ChainStreamInterceptor(m.stream))
	s.grpc = grpc.NewServer(options...)
	services.Register(s.grpc)
	s.registerEncrypted()
	healthpb.RegisterHealthServer(s.grpc, s.health)
	reflection.Register(s.grpc)
	s.setServing(false)

	api, err := rest.New(ctx, rest.Services(*services))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/", promhttp.InstrumentHandlerDuration(m.http, s.auth.http(s.authenticated(api))))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", s.auth.http(s.supervised(promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))))
	s.http = &http.Server{
		Handler: mux, TLSConfig: tlsConfig.Clone(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute,
		WriteTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(discardHandler{}, slog.LevelDebug),
	}
	return nil
}

func answeredMethods() []string {
	return []string{"/yumen.v1.Verification/Verify", "/yumen.v1.Verification/VerifyBatch", "/yumen.v1.Tables/Query"}
}

func (s *Server) services() *rpc.Services {
	if s.runner == nil {
		g := sealedGateway{logDir: filepath.Join(s.config.DataDir, "log"), trustDir: filepath.Join(s.config.DataDir, "trust")}
		return rpc.New(g, g, g, g, s.logger)
	}
	return rpc.New(s.runner, s.runner.Jobs(), applying{s.runner, s}, s.runner, s.logger)
}

// anonymous is errAnonymous over REST.
const anonymous = `{"code":16, "message":"present a client certificate or a bearer token", "details":[]}`

// authenticated turns strangers away before anything of their body is read.
func (s *Server) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if _, ok := spec.PartyOf(req.Context()); !ok {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, anonymous)
			return
		}
		next.ServeHTTP(w, req)
	})
}

// supervised keeps metrics from parties that neither operate nor supervise: they tell of everybody's calls.
func (s *Server) supervised(next http.Handler) http.Handler {
	return s.authenticated(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		party, _ := spec.PartyOf(req.Context())
		if s.runner != nil && !s.runner.Supervises(party) {
			http.Error(w, "not for this party", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, req)
	}))
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	switch {
	case s.sealed != "":
		http.Error(w, "sealed: "+s.sealed, http.StatusServiceUnavailable)
	case !s.ready.Load():
		http.Error(w, "not ready", http.StatusServiceUnavailable)
	default:
		fmt.Fprintln(w, "ready")
	}
}

func (s *Server) setServing(yes bool) {
	status := healthpb.HealthCheckResponse_NOT_SERVING
	if yes && s.sealed == "" {
		status = healthpb.HealthCheckResponse_SERVING
	}
	s.ready.Store(yes)
	s.health.SetServingStatus("", status)
}

// applying gives new parties of a domain file their development tokens at once.
type applying struct {
	*job.Runner
	server *Server
}

// Apply puts a domain file in force and then makes tokens for whom it names.
func (a applying) Apply(ctx context.Context, c *spec.Change) (*spec.Applied, error) {
	out, err := a.Runner.Apply(ctx, c)
	if err != nil {
		return nil, err
	}
	return out, a.server.developmentTokens()
}

// developmentTokens makes a bearer token for every party of the domain, so that a first question
// needs no certificate. Production makes none.
func (s *Server) developmentTokens() error {
	if s.config.Mode == "production" || s.runner == nil {
		return nil
	}
	for _, id := range s.runner.Parties() {
		if id == adminToken {
			continue // the file of that name is the operator's own
		}
		if err := s.auth.ensure(s.config, id, id); err != nil {
			return err
		}
	}
	return nil
}

// Runner gives what answers, for programs that embed the gateway; nil when sealed.
func (s *Server) Runner() *job.Runner { return s.runner }

// Sealed says why the gateway is sealed, or "".
func (s *Server) Sealed() string { return s.sealed }

// GRPCAddr and HTTPAddr are where the gateway listens.
func (s *Server) GRPCAddr() string { return s.gl.Addr().String() }

// HTTPAddr is where REST, health and metrics listen.
func (s *Server) HTTPAddr() string { return s.hl.Addr().String() }

// Run serves until ctx ends, then drains: calls under way get drain.seconds, then the log is closed.
func (s *Server) Run(ctx context.Context) error {
	failed := make(chan error, 2)
	go func() { failed <- s.grpc.Serve(s.gl) }()
	go func() { failed <- s.http.ServeTLS(s.hl, "", "") }()
	s.setServing(true)
	s.logger.Info("serving", slog.String("grpc", s.GRPCAddr()), slog.String("http", s.HTTPAddr()),
		slog.String("domain", s.config.Domain), slog.Bool("sealed", s.sealed != ""))
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	return errors.Join(err, s.drain())
}

func (s *Server) drain() error {
	s.setServing(false)
	s.health.Shutdown()
	if s.encrypted != nil {
		s.encrypted.Drain()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(s.config.drain)*time.Second)
	defer cancel()
	stopped := make(chan struct{})
	go func() {
		s.grpc.GracefulStop()
		close(stopped)
	}()
	err := s.http.Shutdown(ctx)
	select {
	case <-stopped:
	case <-ctx.Done():
		s.grpc.Stop()
		<-stopped
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	return errors.Join(err, s.closeRunner())
}

func (s *Server) closeRunner() error {
	s.feeds.stop()
	if s.runner == nil {
		return nil
	}
	return errors.Join(s.closeEncrypted(), s.runner.Close())
}
