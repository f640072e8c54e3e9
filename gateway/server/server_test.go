package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
)

// running is a gateway under test with what a caller needs.
type running struct {
	*Server
	t     *testing.T
	dir   string
	roots *x509.CertPool
	stop  func()
}

func start(t *testing.T, dir string, change ...func(map[string]string)) *running {
	t.Helper()
	flags := map[string]string{"data-dir": dir, "listen-grpc": "127.0.0.1:0", "listen-http": "127.0.0.1:0", "drain-seconds": "2"}
	for _, c := range change {
		c(flags)
	}
	c := defaults(t, flags)
	require.NoError(t, c.Complete())
	ctx, cancel := context.WithCancel(context.Background())
	s, err := Open(ctx, c, "test", slog.New(slog.NewJSONHandler(io.Discard, nil)))
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	r := &running{Server: s, t: t, dir: dir}
	stopped := false
	r.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("run: %v", err)
			}
		}
	}
	t.Cleanup(r.stop)
	r.roots, err = LoadCA(filepath.Join(dir, "tls", "ca.pem"))
	require.NoError(t, err)
	return r
}

func (r *running) token() string {
	text, err := os.ReadFile(TokenFile(r.dir, "admin"))
	require.NoError(r.t, err)
	return strings.TrimSpace(string(text))
}

func (r *running) dial(c *tls.Config) *grpc.ClientConn {
	c.RootCAs = r.roots
	conn, err := grpc.NewClient(r.GRPCAddr(), grpc.WithTransportCredentials(credentials.NewTLS(c)))
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (r *running) get(path, token string, c *tls.Config) (int, string) {
	c.RootCAs = r.roots
	transport := &http.Transport{TLSClientConfig: c}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://"+r.HTTPAddr()+path, nil)
	require.NoError(r.t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	require.NoError(r.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return resp.StatusCode, string(body)
}

func tls13() *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS13} }

func bearer(token string) context.Context {
	return metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+token)
}

func checkpoint(conn *grpc.ClientConn, ctx context.Context) codes.Code {
	_, err := apiv1.NewAuditClient(conn).Checkpoint(ctx, &apiv1.CheckpointRequest{})
	return status.Code(err)
}

func TestOldTLSAndForeignCertificatesAreRefused(t *testing.T) {
	r := start(t, t.TempDir())
	for _, address := range []string{r.GRPCAddr(), r.HTTPAddr()} {
		for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12} {
			_, err := tls.Dial("tcp", address, &tls.Config{RootCAs: r.roots, MinVersion: tls.VersionTLS10, MaxVersion: version})
			require.Error(t, err, "version %x", version)
		}
		conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: r.roots, MinVersion: tls.VersionTLS13})
		require.NoError(t, err)
		require.NoError(t, conn.Close())
	}
	// A certificate of the party, signed by a CA of somebody else.
	other := t.TempDir()
	require.NoError(t, ensureDevelopmentCA(filepath.Join(other, "tls"), time.Now()))
	cert, key, err := IssueDevelopmentClient(other, "bank", time.Now())
	require.NoError(t, err)
	require.NotEqual(t, codes.OK, checkpoint(r.dial(withClient(t, cert, key)), context.Background()))
	expired, expiredKey, err := IssueDevelopmentClient(r.dir, "late", time.Now().AddDate(-2, 0, 0))
	require.NoError(t, err)
	require.NotEqual(t, codes.OK, checkpoint(r.dial(withClient(t, expired, expiredKey)), context.Background()))
}

func withClient(t *testing.T, cert, key string) *tls.Config {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(cert, key)
	require.NoError(t, err)
	c := tls13()
	c.Certificates = []tls.Certificate{pair}
	return c
}

func TestCallersAreKnownByCertificateOrToken(t *testing.T) {
	r := start(t, t.TempDir())
	anonymous := r.dial(tls13())
	require.Equal(t, codes.Unauthenticated, checkpoint(anonymous, context.Background()))
	require.Equal(t, codes.Unauthenticated, checkpoint(anonymous, bearer("guess")))
	require.Equal(t, codes.Unauthenticated, checkpoint(anonymous, bearer("")))
	require.Equal(t, codes.OK, checkpoint(anonymous, bearer(r.token())))
	cert, key, err := IssueDevelopmentClient(r.dir, "bank", time.Now())
	require.NoError(t, err)
	require.Equal(t, codes.OK, checkpoint(r.dial(withClient(t, cert, key)), context.Background()))
	server := withClient(t, filepath.Join(r.dir, "tls", "server.pem"), filepath.Join(r.dir, "tls", "server.key"))
	require.NotEqual(t, codes.OK, checkpoint(r.dial(server), context.Background()), "the server's own certificate is no caller's")

	for path, want := range map[string][2]int{
		"/v1/log/checkpoint": {401, 200}, "/metrics": {401, 200}, "/healthz": {200, 200}, "/readyz": {200, 200}, "/nothing": {404, 404},
	} {
		code, _ := r.get(path, "", tls13())
		require.Equal(t, want[0], code, path)
		code, _ = r.get(path, r.token(), tls13())
		require.Equal(t, want[1], code, path)
	}
	code, _ := r.get("/v1/log/checkpoint", "", withClient(t, cert, key))
	require.Equal(t, 200, code)
	health, err := healthpb.NewHealthClient(anonymous).Check(context.Background(), &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	require.Equal(t, healthpb.HealthCheckResponse_SERVING, health.GetStatus())
}

// An empty domain refuses every question by rule, and says so.
func TestEmptyDomainRefuses(t *testing.T) {
	r := start(t, t.TempDir())
	_, err := apiv1.NewVerificationClient(r.dial(tls13())).Verify(bearer(r.token()), &apiv1.VerifyRequest{
		IdempotencyKey: strings.Repeat("k", 32), KeyTimeMs: time.Now().UnixMilli(), Subject: &apiv1.Subject{Number: "11010519491231002X"}})
	require.Equal(t, codes.PermissionDenied, status.Code(err))
	require.NotContains(t, err.Error(), "11010519491231002X")
}

func TestSealedGatewayAnswersHealthAndAuditAlone(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir)
	token := r.token()
	published := func() string {
		out, err := apiv1.NewAuditClient(r.dial(tls13())).Checkpoint(bearer(token), &apiv1.CheckpointRequest{})
		require.NoError(t, err)
		return out.GetCheckpoint()
	}
	before := published()
	require.NotEmpty(t, before)
	r.stop()
	segments, err := os.ReadDir(filepath.Join(dir, "log"))
	require.NoError(t, err)
	for _, e := range segments {
		if e.Name() != "public" {
			require.NoError(t, os.RemoveAll(filepath.Join(dir, "log", e.Name())))
		}
	}

	r = start(t, dir)
	require.NotEmpty(t, r.Sealed())
	require.Nil(t, r.Runner())
	conn := r.dial(tls13())
	ctx := bearer(token)
	_, err = apiv1.NewVerificationClient(conn).Verify(ctx, &apiv1.VerifyRequest{})
	requireSealed(t, err)
	_, err = apiv1.NewVerificationClient(conn).VerifyBatch(ctx, &apiv1.VerifyBatchRequest{})
	requireSealed(t, err)
	_, err = apiv1.NewTablesClient(conn).Query(ctx, &apiv1.QueryRequest{})
	requireSealed(t, err)
	_, err = apiv1.NewJobsClient(conn).Submit(ctx, &apiv1.SubmitRequest{})
	requireSealed(t, err)
	_, err = apiv1.NewJobsClient(conn).Get(ctx, &apiv1.GetJobRequest{})
	requireSealed(t, err)
	_, err = apiv1.NewJobsClient(conn).List(ctx, &apiv1.ListJobsRequest{})
	requireSealed(t, err)
	_, err = apiv1.NewJobsClient(conn).Cancel(ctx, &apiv1.GetJobRequest{})
	requireSealed(t, err)
	_, err = apiv1.NewGovernanceClient(conn).Apply(ctx, &apiv1.ApplyRequest{})
	requireSealed(t, err)
	_, err = apiv1.NewGovernanceClient(conn).Suspend(ctx, &apiv1.SuspendRequest{})
	requireSealed(t, err)
	_, err = apiv1.NewGovernanceClient(conn).Catalogue(ctx, &apiv1.CatalogueRequest{})
	requireSealed(t, err)
	require.Equal(t, before, published(), "what was published can still be had")
	trust, err := apiv1.NewAuditClient(conn).Trust(ctx, &apiv1.TrustRequest{})
	require.NoError(t, err)
	require.NotEmpty(t, trust.GetTrust())

	health, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	require.Equal(t, healthpb.HealthCheckResponse_NOT_SERVING, health.GetStatus())
	code, _ := r.get("/healthz", "", tls13())
	require.Equal(t, 200, code)
	code, body := r.get("/readyz", "", tls13())
	require.Equal(t, 503, code)
	require.Contains(t, body, "sealed")
	require.NotContains(t, body, dir)
}

func requireSealed(t *testing.T, err error) {
	t.Helper()
	require.Equal(t, codes.Unavailable, status.Code(err))
	require.Contains(t, err.Error(), "sealed")
}

// A party that calls itself as the administration token's file does not take the token over.
func TestPartyNamedAdminDoesNotTakeTheOperatorsToken(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "domain.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`
yumen: 1
domain: development
jurisdiction: jilin
parties: [{id: admin, name: 管理, roles: [application_unit]}, {id: shuju, name: 数据局, roles: [data_authority]}]
datasets: []
templates: []
tables: []
masks: []
agreements: []
scenarios: []
consents: []
`), 0o600))
	r := start(t, filepath.Join(dir, "data"), func(flags map[string]string) { flags["domain-file"] = file })
	_, err := apiv1.NewGovernanceClient(r.dial(tls13())).Suspend(bearer(r.token()), &apiv1.SuspendRequest{Kind: "party", Id: "admin", Reason: "test"})
	require.NoError(t, err)
}

func TestOpenRefusesWithoutValuesOrPaths(t *testing.T) {
	dir := t.TempDir()
	blocked := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(blocked, []byte("11010519491231002X: ["), 0o600))
	for name, flags := range map[string]map[string]string{
		"data.dir is a file": {"data-dir": blocked}, "no domain file": {"domain-file": filepath.Join(dir, "no.yaml")},
		"domain file broken": {"domain-file": blocked}, "approvals named and missing": {"domain-file": blocked, "domain-approvals": filepath.Join(dir, "no")},
		"kek missing": {"kek-file": filepath.Join(dir, "no")}, "kek of a wrong length": {"kek-file": blocked},
		"address": {"listen-grpc": "256.0.0.1:1"}, "second address": {"listen-http": "256.0.0.1:1"},
	} {
		all := map[string]string{"data-dir": filepath.Join(dir, "data"), "listen-grpc": "127.0.0.1:0", "listen-http": "127.0.0.1:0"}
		for k, v := range flags {
			all[k] = v
		}
		c := defaults(t, all)
		require.NoError(t, c.Complete())
		_, err := Open(context.Background(), c, "test", slog.New(slog.NewJSONHandler(io.Discard, nil)))
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), dir, name)
		require.NotContains(t, err.Error(), "11010519491231002X", name)
	}
}
