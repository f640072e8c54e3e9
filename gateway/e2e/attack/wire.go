package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client"
)

// traces is what an onlooker beside the answers sees of one database.
type traces struct{ refusals, grpc, rest, work []string }

func sqrt(n int) float64 { return math.Sqrt(float64(n)) }

// probes are asked of every database in this order. Those from refusedFrom on must be refused.
func probes(asked string) []*apiv1.VerifyRequest {
	bad := question("s", "flagged", asked)
	bad.Threshold = ">= 1"
	return []*apiv1.VerifyRequest{
		question("s", "flagged", asked), question("s", "told-apart", asked), question("s", "flagged", " "+asked),
		question("elsewhere", "flagged", asked), question("s", "nothing", asked), bad, under("none", "s", "flagged", asked),
		question("s", "needs-consent", asked), question("s", "few", asked), question("s", "flagged", asked[:17]+"?"),
	}
}

// wire counts what gRPC puts on the wire and takes from it.
type wire struct {
	mu   sync.Mutex
	seen []string
}

func (w *wire) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (w *wire) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (w *wire) HandleConn(context.Context, stats.ConnStats)                       {}

func (w *wire) HandleRPC(_ context.Context, s stats.RPCStats) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch v := s.(type) {
	case *stats.InPayload:
		w.seen = append(w.seen, fmt.Sprintf("payload %d", v.WireLength))
	case *stats.InHeader:
		w.seen = append(w.seen, fmt.Sprintf("header %d", v.WireLength))
	case *stats.InTrailer:
		w.seen = append(w.seen, fmt.Sprintf("trailer %d", v.WireLength))
	}
}

// probe asks everything over both transports.
func (g *gateway) probe(ctx context.Context, w *world, asked string) (*traces, error) {
	t := &traces{}
	if err := g.probeGRPC(ctx, asked, t); err != nil {
		return nil, err
	}
	if err := g.probeREST(asked, t); err != nil {
		return nil, err
	}
	grew, err := g.overAlarm(ctx, w, asked)
	if err != nil {
		return nil, err
	}
	t.work = append(t.work, grew)
	counters, err := g.counters()
	t.work = append(t.work, counters...)
	return t, err
}

func (g *gateway) probeGRPC(ctx context.Context, asked string, t *traces) error {
	config, err := g.tls()
	if err != nil {
		return err
	}
	token, err := g.token("bank")
	if err != nil {
		return err
	}
	w := &wire{}
	conn, err := grpc.NewClient(g.server.GRPCAddr(), grpc.WithTransportCredentials(credentials.NewTLS(config)), grpc.WithStatsHandler(w))
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	api := apiv1.NewVerificationClient(conn)
	for _, in := range probes(asked) {
		if in.IdempotencyKey, in.KeyTimeMs, err = client.NewKey(); err != nil {
			return err
		}
		_, err := api.Verify(ctx, in)
		t.grpc = append(t.grpc, w.taken())
		if r := client.RefusalOf(err); r != nil {
			raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(r)
			if err != nil {
				return err
			}
			t.refusals = append(t.refusals, string(raw))
		} else if err != nil {
			return err
		}
	}
	key, made, err := client.NewKey()
	if err != nil {
		return err
	}
	_, err = api.VerifyBatch(ctx, &apiv1.VerifyBatchRequest{Scenario: "s", Template: "flagged", Subjects: []*apiv1.Subject{{Number: asked}}, IdempotencyKey: key, KeyTimeMs: made})
	t.grpc = append(t.grpc, w.taken())
	return err
}

// taken is what one call put on the wire. The parts arrive by several goroutines: their order is not the
// server's.
func (w *wire) taken() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(w.seen)
	out := strings.Join(w.seen, ", ")
	w.seen = nil
	return out
}

// counted is a connection that knows how much it has read.
type counted struct {
	net.Conn
	read int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read += n
	return n, err
}

func (g *gateway) probeREST(asked string, t *traces) error {
	config, err := g.tls()
	if err != nil {
		return err
	}
	token, err := g.token("bank")
	if err != nil {
		return err
	}
	raw, err := net.DialTimeout("tcp", g.server.HTTPAddr(), 10*time.Second)
	if err != nil {
		return err
	}
	below := &counted{Conn: raw}
	config.ServerName = "localhost"
	conn := tls.Client(below, config)
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for i, in := range append([]*apiv1.VerifyRequest{nil}, probes(asked)...) {
		before := below.read
		body, err := exchange(conn, reader, token, in)
		if err != nil {
			return err
		}
		if i > 0 { // the first exchange carries the handshake
			t.rest = append(t.rest, fmt.Sprintf("probe %d: %d bytes", i, below.read-before))
		}
		if strings.Contains(body, `"rule"`) {
			t.refusals = append(t.refusals, body)
		}
	}
	return nil
}

// exchange sends one request and reads its response whole; nil asks for health.
func exchange(conn net.Conn, reader *bufio.Reader, token string, in *apiv1.VerifyRequest) (string, error) {
	method, path, text := http.MethodGet, "/healthz", ""
	if in != nil {
		var err error
		if in.IdempotencyKey, in.KeyTimeMs, err = client.NewKey(); err != nil {
			return "", err
		}
		body, err := protojson.Marshal(in)
		if err != nil {
			return "", err
		}
		method, path, text = http.MethodPost, "/v1/verify", string(body)
	}
	req, err := http.NewRequest(method, "https://localhost"+path, strings.NewReader(text))
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if err := req.Write(conn); err != nil {
		return "", err
	}
	resp, err := http.ReadResponse(reader, req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	return string(all), err
}

var timeless = regexp.MustCompile(`^yumen_[a-z_]*(_count|_total)[{ ]`)

// counters are the public metrics that do not measure time.
func (g *gateway) counters() ([]string, error) {
	config, err := g.tls()
	if err != nil {
		return nil, err
	}
	token, err := g.token("bank")
	if err != nil {
		return nil, err
	}
	web := &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: config}}
	defer web.CloseIdleConnections()
	req, err := http.NewRequest(http.MethodGet, "https://"+g.server.HTTPAddr()+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := web.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	var out []string
	for line := range strings.Lines(string(all)) {
		if timeless.MatchString(line) {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out, nil
}
