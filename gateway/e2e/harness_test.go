package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	_ "embed"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/receipt"
	"github.com/yumen-project/yumen/gateway/server"
)

//go:embed testdata/domain.yaml
var domainText string

// domain fills the placeholders of a domain file.
func domain(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	now := time.Now()
	fill := []string{
		"TERMS", strings.Repeat("5a", 32), "PLAN", strings.Repeat("6b", 32), "LETTER", strings.Repeat("7c", 32),
		"FROM", now.AddDate(-1, 0, 0).Format(time.DateOnly), "UNTIL", now.AddDate(1, 0, 0).Format(time.DateOnly),
		"SUBJECT(single)", single(t).RID,
	}
	for party, key := range common.keys {
		fill = append(fill, "KEY("+party+")", key)
	}
	text = strings.NewReplacer(pairs...).Replace(text)
	return strings.NewReplacer(fill...).Replace(text)
}

// sign makes the approvals file: every scenario by its authority and providers, but for those left
// out, named scenario/party.
func sign(t *testing.T, text string, left ...string) []byte {
	t.Helper()
	d, err := governance.ParseDomain([]byte(text))
	require.NoError(t, err)
	var wanted []server.Approval
	add := func(scenario, party, role string) {
		for _, l := range left {
			if l == scenario+"/"+party {
				return
			}
		}
		wanted = append(wanted, server.Approval{Object: "scenario", ID: scenario, Party: party, Role: role, KeyFile: common.keyFile(party)})
	}
	for _, s := range d.Scenarios {
		add(s.ID, s.Authority, "authority")
		for _, p := range s.Providers {
			add(s.ID, p, "provider")
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	signed, err := server.Approve([]byte(text), nil, wanted...)
	require.NoError(t, err)
	return signed
}

// options of a gateway under test.
type options struct {
	domain    string // text; the tests' own where empty
	approvals []byte // all scenarios signed, half-signed aside, where nil
	sources   string // directory of registers; the shared city's where empty
	dir       string // data directory; a new one where empty
	noDomain  bool   // start without a domain file, as after a restart
	flags     map[string]string
}

// gateway is one server under test with everything that speaks to it.
type gateway struct {
	t       *testing.T
	dir     string
	sources string
	server  *server.Server
	logs    *syncBuffer
	stop    func()
	web     *http.Client
	mu      sync.Mutex
	clients map[string]*client.Client
}

// start runs a gateway until the test ends or stop is called.
func start(t *testing.T, o options) *gateway {
	t.Helper()
	if o.dir == "" {
		o.dir = t.TempDir()
	}
	if o.sources == "" {
		o.sources = common.sources
	}
	flags := map[string]string{
		"data-dir": filepath.Join(o.dir, "data"), "data-sources": o.sources, "listen-grpc": "127.0.0.1:0", "listen-http": "127.0.0.1:0",
		"log-level": "debug", "cache-mb": "8", "drain-seconds": "5", "domain-id": "e2e",
	}
	maps.Copy(flags, o.flags)
	if !o.noDomain {
		flags["domain-file"] = filepath.Join(o.dir, "domain.yaml")
		writeDomain(t, o)
	}
	config, err := server.Resolve(flags, func(string) (string, bool) { return "", false }, nil)
	require.NoError(t, err)
	require.NoError(t, config.Complete())
	g := &gateway{t: t, dir: o.dir, sources: o.sources, logs: &syncBuffer{}, clients: map[string]*client.Client{}}
	logger, err := server.NewLogger(g.logs, config)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	g.server, err = server.Open(ctx, config, "e2e", logger)
	if err != nil {
		cancel()
	}
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- g.server.Run(ctx) }()
	g.stop = sync.OnceFunc(func() {
		for _, c := range g.clients {
			_ = c.Close()
		}
		if g.web != nil {
			g.web.CloseIdleConnections()
		}
		cancel()
		require.NoError(t, <-served)
	})
	t.Cleanup(func() { g.stop() })
	roots, err := server.LoadCA(filepath.Join(g.data(), "tls", "ca.pem"))
	require.NoError(t, err)
	g.web = &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots}}}
	return g
}

func writeDomain(t *testing.T, o options) {
	t.Helper()
	text := o.domain
	if text == "" {
		text = domain(t, domainText)
	}
	approvals := o.approvals
	if approvals == nil {
		approvals = sign(t, text, "half-signed/gongan")
	}
	require.NoError(t, os.WriteFile(filepath.Join(o.dir, "domain.yaml"), []byte(text), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(o.dir, "domain.approvals.yaml"), approvals, 0o600))
}

// restart stops the gateway and starts it on the same directory, from its log alone.
func (g *gateway) restart() *gateway {
	g.t.Helper()
	g.stop()
	return start(g.t, options{dir: g.dir, sources: g.sources, noDomain: true})
}

func (g *gateway) data(parts ...string) string {
	return filepath.Join(append([]string{g.dir, "data"}, parts...)...)
}

func (g *gateway) token(party string) string {
	g.t.Helper()
	token, err := os.ReadFile(server.TokenFile(g.data(), party))
	require.NoError(g.t, err)
	return strings.TrimSpace(string(token))
}

// as is a client of the party over gRPC.
func (g *gateway) as(party string) *client.Client {
	g.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if c := g.clients[party]; c != nil {
		return c
	}
	c, err := client.New(client.Options{Address: g.server.GRPCAddr(), TLS: g.tls(), Token: g.token(party)})
	require.NoError(g.t, err)
	g.clients[party] = c
	return c
}

func (g *gateway) tls() *tls.Config {
	g.t.Helper()
	roots, err := server.LoadCA(g.data("tls", "ca.pem"))
	require.NoError(g.t, err)
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots}
}

// rest sends one REST request as the party and returns status and body.
func (g *gateway) rest(party, method, path, body string) (int, []byte) {
	g.t.Helper()
	req, err := http.NewRequest(method, "https://"+g.server.HTTPAddr()+path, strings.NewReader(body))
	require.NoError(g.t, err)
	if party != "" {
		req.Header.Set("Authorization", "Bearer "+g.token(party))
	}
	resp, err := g.web.Do(req)
	require.NoError(g.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(g.t, err)
	return resp.StatusCode, text
}

// verify asks one template about one number.
func (g *gateway) verify(party, scenario, template, number string) (*apiv1.VerifyResponse, error) {
	return g.as(party).Verify(ctx(), &apiv1.VerifyRequest{Scenario: scenario, Template: template, Subject: &apiv1.Subject{Number: number}})
}

// must is verify of a question that has to be answered.
func (g *gateway) must(party, scenario, template, number string) *apiv1.VerifyResponse {
	g.t.Helper()
	out, err := g.verify(party, scenario, template, number)
	require.NoError(g.t, err)
	return out
}

// spent is what a unit has used of its daily quota in a scenario, taken from the statement of one more
// answer of template urban: that answer is not in it.
func (g *gateway) spent(party, scenario string) int64 {
	g.t.Helper()
	return statementOf(g.t, g.must(party, scenario, "urban", common.people[0].RID).GetReceipt()).Budget.Before
}

func (g *gateway) trust() *receipt.TrustSet {
	g.t.Helper()
	set, err := receipt.LoadTrust(os.DirFS(g.data("trust")))
	require.NoError(g.t, err)
	require.NoError(g.t, set.Err())
	return set
}

// export writes the public log into a new directory.
func (g *gateway) export() string {
	g.t.Helper()
	dir := filepath.Join(g.t.TempDir(), "log")
	require.NoError(g.t, g.server.Runner().Export(ctx(), dir))
	return dir
}

func statementOf(t *testing.T, r *apiv1.Receipt) *receipt.Statement {
	t.Helper()
	parts, err := receipt.ParseReceipt(r.GetReceipt())
	require.NoError(t, err)
	s, err := receipt.ParseStatement(parts.Statement)
	require.NoError(t, err)
	return s
}

func ctx() context.Context { return context.Background() }

// syncBuffer gathers what the gateway logs.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
