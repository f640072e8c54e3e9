package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"

	"github.com/yumen-project/yumen/compute/he/plan"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
)

var (
	fuzzMinutes = flag.Float64("fuzz-minutes", 0.05, "how long the fuzzing client runs")
	fuzzGateway = flag.String("fuzz-gateway", "", "a yumen binary to fuzz in a process of its own; the test's own process where empty")
)

// fuzzGrowth is how many bytes the gateway may hold beyond what it held before.
const fuzzGrowth = 768 << 20

// fuzzTarget is a gateway at whose ports anything is thrown.
type fuzzTarget struct {
	grpc, http string
	tls        *tls.Config
	tokens     map[string]string
	pid        int
	logs       func() string
	ended      func() error // nil while it runs
	seeds      [][]byte

	requests, refused, raw atomic.Int64
}

var fuzzParties = []string{"shuju", "exchange", "zhujian", "bank", "leju", ""}

// Random and mutated bytes at every method of the service and raw bytes at both ports: no panic, bounded memory,
// and the gateway answers afterwards.
func TestFuzzingClient(t *testing.T) {
	w := newEncryptedWorld(t)
	w.keygen("housing")
	_, err := w.provide("housing", amounts(200, 1))
	require.NoError(t, err)
	query := w.put("bank", objectQuery, w.query("bank", "mean-housing", plan.Mean, "housing"))
	w.until("bank", query, "computed")
	target := w.fuzzTarget(query)
	before := resident(t, target.pid)
	ctx, cancel := context.WithTimeout(ctx(), time.Duration(*fuzzMinutes*float64(time.Minute)))
	defer cancel()
	peak := target.run(ctx, t)
	require.NoError(t, target.ended(), "the process runs")
	require.NotContains(t, target.logs(), "panic")
	t.Logf("%d calls, of which %d were refused, %d raw connections; resident %d MiB before, %d MiB at most, %d MiB after",
		target.requests.Load(), target.refused.Load(), target.raw.Load(), before>>20, peak>>20, resident(t, target.pid)>>20)
	require.Less(t, peak-before, int64(fuzzGrowth))
	conn := target.dial(t)
	defer conn.Close()
	out, err := apiv1.NewEncryptedClient(conn).Result(target.as(context.Background(), "bank"), &apiv1.ResultRequest{Query: query[:]})
	require.NoError(t, err, "the gateway answers")
	require.Contains(t, []string{"computed", "approved"}, out.GetState(), "a genuine approval may have been among the seeds")
}

// fuzzTarget is the world's own gateway, or a process on its data.
func (w *encryptedWorld) fuzzTarget(query [32]byte) *fuzzTarget {
	w.t.Helper()
	f := &fuzzTarget{grpc: w.g.server.GRPCAddr(), http: w.g.server.HTTPAddr(), tls: w.g.tls(), pid: os.Getpid(), logs: w.g.logs.String,
		ended: func() error { return nil }, tokens: map[string]string{}, seeds: w.fuzzSeeds(query)}
	for _, p := range fuzzParties {
		if p != "" {
			f.tokens[p] = w.g.token(p)
		}
	}
	if *fuzzGateway != "" {
		w.g.stop()
		f.serve(w)
	}
	return f
}

// fuzzSeeds are genuine objects of every kind.
func (w *encryptedWorld) fuzzSeeds(query [32]byte) [][]byte {
	w.t.Helper()
	v := w.recompute("exchange", query)
	var out [][]byte
	for _, o := range []canonical{w.query("bank", "mean-housing", plan.Mean, "housing"), w.approval("exchange", v), w.answer("exchange", v),
		w.proposal("housing"), w.sets["housing"]["shuju"].Cert} {
		b, err := o.Bytes()
		require.NoError(w.t, err)
		out = append(out, b)
	}
	leaves, err := (&downloaded{w, "exchange"}).all("housing", "2026-10", "amount", 0, 1)
	require.NoError(w.t, err)
	events, err := w.as("exchange").Poll(ctx(), &apiv1.PollRequest{})
	require.NoError(w.t, err)
	for i, e := range events.GetEvents() {
		if i%3 == 0 {
			out = append(out, w.get("exchange", e.GetKind(), [32]byte(e.GetHash())))
		}
	}
	return append(out, leaves[0])
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// serve starts the binary on the data of a world that stopped.
func (f *fuzzTarget) serve(w *encryptedWorld) {
	t := w.t
	t.Helper()
	f.grpc, f.http = freePort(t), freePort(t)
	logs := &syncBuffer{}
	c := exec.Command(*fuzzGateway, "serve", "--data-dir", w.g.data(), "--data-sources", w.g.sources, "--domain-id", "e2e",
		"--listen-grpc", f.grpc, "--listen-http", f.http, "--cache-mb", "8", "--log-level", "warn")
	c.Stdout, c.Stderr = logs, logs
	require.NoError(t, c.Start())
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	f.pid, f.logs = c.Process.Pid, logs.String
	f.ended = func() error {
		select {
		case err := <-done:
			return fmt.Errorf("ended: %w: %s", err, logs.String())
		default:
			return nil
		}
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	require.Eventually(t, func() bool {
		conn, err := net.DialTimeout("tcp", f.grpc, time.Second)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, 30*time.Second, 100*time.Millisecond, "the process listens")
}

func (f *fuzzTarget) dial(t *testing.T) *grpc.ClientConn {
	conn, err := grpc.NewClient(f.grpc, grpc.WithTransportCredentials(credentials.NewTLS(f.tls)), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	require.NoError(t, err)
	return conn
}

func (f *fuzzTarget) as(ctx context.Context, party string) context.Context {
	if token := f.tokens[party]; token != "" {
		return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	}
	return ctx
}

// run throws until ctx ends, and says how many bytes the process held at most.
func (f *fuzzTarget) run(ctx context.Context, t *testing.T) int64 {
	var group sync.WaitGroup
	work := func(seed uint64, one func(*mrand.Rand)) {
		group.Add(1)
		go func() {
			defer group.Done()
			for r := mrand.New(mrand.NewPCG(seed, 1)); ctx.Err() == nil; {
				one(r)
			}
		}()
	}
	for i := range uint64(3) {
		conn := f.dial(t)
		defer conn.Close()
		work(i, func(r *mrand.Rand) { f.typed(ctx, conn, r) })
		work(i+10, func(r *mrand.Rand) { f.untyped(ctx, conn, r) })
	}
	work(20, func(r *mrand.Rand) { f.bytes(ctx, r) })
	work(21, func(r *mrand.Rand) { f.web(ctx, r) })
	peak := int64(0)
	for ctx.Err() == nil && f.ended() == nil {
		peak = max(peak, resident(t, f.pid))
		time.Sleep(50 * time.Millisecond)
	}
	group.Wait()
	return max(peak, resident(t, f.pid))
}

// noise is a genuine object bent, or bytes of no meaning; now and then of many megabytes.
func (f *fuzzTarget) noise(r *mrand.Rand) []byte {
	var b []byte
	switch r.IntN(8) {
	case 0:
		n := r.IntN(300)
		if r.IntN(400) == 0 {
			n = r.IntN(17 << 20)
		}
		b = make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	default:
		b = bytes.Clone(f.seeds[r.IntN(len(f.seeds))])
	}
	for range r.IntN(4) {
		if len(b) > 0 {
			b[r.IntN(min(len(b), []int{16, 256, len(b)}[r.IntN(3)]))] ^= byte(1 << r.IntN(8))
		}
	}
	switch r.IntN(6) {
	case 0:
		b = b[:r.IntN(len(b)+1)]
	case 1: // a piece twice
		at := r.IntN(len(b) + 1)
		b = append(append(append([]byte{}, b[:at]...), b[at/2:at]...), b[at:]...)
	case 2: // a length that lies
		if len(b) > 8 {
			copy(b[r.IntN(len(b)-4):], []byte{0xff, 0xff, 0xff, byte(r.Uint32())})
		}
	}
	return b
}

func (f *fuzzTarget) count(err error) {
	f.requests.Add(1)
	if err != nil {
		f.refused.Add(1)
	}
}

func (f *fuzzTarget) typed(ctx context.Context, conn *grpc.ClientConn, r *mrand.Rand) {
	c := apiv1.NewEncryptedClient(conn)
	call, cancel := context.WithTimeout(f.as(ctx, fuzzParties[r.IntN(len(fuzzParties))]), 20*time.Second)
	defer cancel()
	name := func(good string) string { return []string{good, "", "a\x00b", "../../x", good + " "}[r.IntN(5)] }
	hash := func() []byte { return append(f.noise(r), make([]byte, 32)...)[:[]int{0, 31, 32, 32, 32}[r.IntN(5)]] }
	var err error
	switch r.IntN(8) {
	case 0, 1, 2:
		_, err = c.Put(call, &apiv1.PutRequest{Kind: apiv1.ObjectKind(r.IntN(14)), Object: f.noise(r)})
	case 3:
		_, err = c.Get(call, &apiv1.GetRequest{Kind: apiv1.ObjectKind(r.Int32()), Hash: hash()})
	case 4:
		_, err = c.Result(call, &apiv1.ResultRequest{Query: hash()})
	case 5:
		_, err = c.Poll(call, &apiv1.PollRequest{Cursor: r.Uint64() >> r.IntN(64), WaitMs: uint32(r.IntN(3))})
	case 6:
		_, err = c.Leaves(call, &apiv1.LeavesRequest{Dataset: name("housing"), Version: name("2026-10"), Lane: name("amount")})
		f.count(err)
		err = f.download(call, c, &apiv1.GetLeavesRequest{Dataset: name("housing"), Version: name("2026-10"), Lane: name("amount"), First: r.Uint32() >> r.IntN(32), Count: r.Uint32() >> r.IntN(32)})
	case 7:
		var stream grpc.ClientStreamingClient[apiv1.PutLeavesRequest, apiv1.PutLeavesResponse]
		if stream, err = c.PutLeaves(call); err == nil {
			for range r.IntN(4) {
				_ = stream.Send(&apiv1.PutLeavesRequest{Dataset: name("housing"), Version: name("2026-10"), Lane: name("amount"), Batch: r.Uint32() >> r.IntN(32), Leaf: f.noise(r)})
			}
			_, err = stream.CloseAndRecv()
		}
	}
	f.count(err)
}

func (f *fuzzTarget) download(call context.Context, c apiv1.EncryptedClient, in *apiv1.GetLeavesRequest) error {
	stream, err := c.GetLeaves(call, in)
	for err == nil {
		_, err = stream.Recv()
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// rawCodec sends bytes as they are.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }
func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}
func (rawCodec) Unmarshal(mem.BufferSlice, any) error { return nil }

var _ encoding.CodecV2 = rawCodec{}

// untyped sends what is no message at all, to methods that are and are not.
func (f *fuzzTarget) untyped(ctx context.Context, conn *grpc.ClientConn, r *mrand.Rand) {
	methods := []string{"Put", "Get", "Poll", "PutLeaves", "Leaves", "GetLeaves", "Result", "Nothing"}
	call, cancel := context.WithTimeout(f.as(ctx, fuzzParties[r.IntN(len(fuzzParties))]), 2*time.Second)
	defer cancel()
	body := f.noise(r)
	if r.IntN(2) == 0 { // a field of that length, or of one that lies
		body = append([]byte{byte(1+r.IntN(5))<<3 | byte(r.IntN(6)), byte(len(body)), byte(len(body) >> 7)}, body...)
	}
	f.count(conn.Invoke(call, "/yumen.v1.Encrypted/"+methods[r.IntN(len(methods))], body, &struct{}{}, grpc.ForceCodecV2(rawCodec{})))
}

// bytes opens a port, with or without TLS, and sends anything.
func (f *fuzzTarget) bytes(ctx context.Context, r *mrand.Rand) {
	address := []string{f.grpc, f.http}[r.IntN(2)]
	d := net.Dialer{Timeout: time.Second}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(300 * time.Millisecond))
	if r.IntN(2) == 0 {
		config := f.tls.Clone()
		config.ServerName, config.NextProtos = "127.0.0.1", [][]string{{"h2"}, {"http/1.1"}, nil}[r.IntN(3)]
		conn = tls.Client(conn, config)
	}
	var b []byte
	switch r.IntN(3) {
	case 0:
		b = []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
		for range r.IntN(50) { // frames of any type, with lengths that fit or not
			payload := f.noise(r)
			payload = payload[:min(len(payload), r.IntN(200))]
			n := len(payload)
			if r.IntN(5) == 0 {
				n = r.IntN(1 << 24)
			}
			b = append(b, byte(n>>16), byte(n>>8), byte(n), byte(r.IntN(12)), byte(r.Uint32()), 0, 0, 0, byte(r.IntN(8)))
			b = append(b, payload...)
		}
	case 1:
		b = []byte("POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Length: " + strconv.Itoa(int(r.Int32())) + "\r\n\r\n")
		b = append(b, f.noise(r)...)
	default:
		b = f.noise(r)
	}
	_, _ = conn.Write(b)
	_, _ = conn.Read(make([]byte, 1024))
	f.raw.Add(1)
}

// web sends requests to the REST port.
func (f *fuzzTarget) web(ctx context.Context, r *mrand.Rand) {
	paths := []string{"/v1/verify", "/v1/encrypted", "/yumen.v1.Encrypted/Put", "/healthz", "/metrics", "/v1/../../x", "/"}
	body := f.noise(r)
	req, err := http.NewRequestWithContext(ctx, []string{"GET", "POST", "PUT"}[r.IntN(3)], "https://"+f.http+paths[r.IntN(len(paths))], strings.NewReader(string(body)))
	if err != nil {
		return
	}
	if token := f.tokens[fuzzParties[r.IntN(len(fuzzParties))]]; token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	transport := &http.Transport{TLSClientConfig: f.tls.Clone(), DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: transport, Timeout: 5 * time.Second}).Do(req)
	if err == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
		_ = resp.Body.Close()
		if resp.StatusCode >= 400 {
			err = fmt.Errorf("status %d", resp.StatusCode)
		}
	}
	f.count(err)
}

// resident is how many bytes of memory a process holds.
func resident(t *testing.T, pid int) int64 {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	require.NoError(t, err)
	return pages * int64(os.Getpagesize())
}
