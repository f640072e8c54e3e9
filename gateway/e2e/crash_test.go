package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/yumen-project/yumen/benchmarks/city"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// TestCrash_Short kills the real server a few times under load; the long run is under the tag "services".
func TestCrash_Short(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills processes")
	}
	crash(t, 5, 20261123)
}

// crashRig is a server that is killed and started again, and what its callers remember.
type crashRig struct {
	t   *testing.T
	bin string
	g   *gateway // directories and tokens; its server is another process

	mu        sync.Mutex
	delivered map[string]*apiv1.VerifyResponse // by idempotency key
	requests  map[string]*apiv1.VerifyRequest
	unknown   map[string]bool // keys whose call ended without an answer
	serials   map[string]string
}

// crash kills the server at random moments under load. At the end no answer was delivered without its
// frame, no serial stands for two statements, each key was charged once and only once, a replay gives
// the same counters, and the log verifies with every receipt.
func crash(t *testing.T, kills int, seed uint64) {
	numbers := map[string]*city.Person{}
	for i := range common.people {
		numbers[common.people[i].RID] = &common.people[i]
	}
	c := &crashRig{t: t, bin: build(t), delivered: map[string]*apiv1.VerifyResponse{}, requests: map[string]*apiv1.VerifyRequest{},
		unknown: map[string]bool{}, serials: map[string]string{}}
	dir := t.TempDir()
	c.g = &gateway{t: t, dir: dir, sources: common.sources}
	writeDomain(t, options{dir: dir})
	r := rand.New(rand.NewPCG(seed, 1))
	began := ledger.Day(nowMS())
	for i := range kills {
		server, address := c.start(i == 0 || i%10 == 9)
		stop := c.load(address, r.Uint64())
		time.Sleep(time.Duration(r.IntN(400)) * time.Millisecond)
		require.NoError(t, server.Process.Kill())
		_ = server.Wait()
		stop()
		require.False(t, t.Failed())
	}
	server, address := c.start(false)
	spent := c.settle(address)
	t.Logf("%d kills, %d answers", kills, len(c.delivered))
	require.Greater(t, len(c.delivered), kills)
	if ledger.Day(nowMS()) == began {
		require.Equal(t, int64(len(c.delivered)), spent, "keys and charges differ")
	}
	require.NoError(t, server.Process.Signal(syscall.SIGTERM))
	require.NoError(t, server.Wait())
	c.judge(numbers)
}

// build makes the real command.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "yumen")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", bin, "../../cmd/yumen").CombinedOutput()
	require.NoError(t, err, string(out))
	return bin
}

// start runs `yumen serve` and waits until it says where it listens.
func (c *crashRig) start(withDomain bool) (*exec.Cmd, string) {
	c.t.Helper()
	args := []string{"serve", "--data-dir", c.g.data(), "--data-sources", c.g.sources, "--listen-grpc", "127.0.0.1:0", "--listen-http", "127.0.0.1:0", "--domain-id", "e2e", "--cache-mb", "8"}
	if withDomain {
		args = append(args, "--domain-file", filepath.Join(c.g.dir, "domain.yaml"))
	}
	server := exec.Command(c.bin, args...)
	stderr, err := server.StderrPipe()
	require.NoError(c.t, err)
	require.NoError(c.t, server.Start())
	c.t.Cleanup(func() { _ = server.Process.Kill() })
	address, said := make(chan string, 1), ""
	lines := bufio.NewScanner(stderr)
	go func() {
		defer close(address)
		for lines.Scan() {
			var line struct {
				Msg, GRPC string
				Sealed    bool
			}
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" && !line.Sealed {
				address <- line.GRPC
			} else {
				said = lines.Text()
			}
		}
	}()
	select {
	case a, ok := <-address:
		require.True(c.t, ok, "the server did not come up: %s", said)
		return server, a
	case <-time.After(time.Minute):
		c.t.Fatal("the server did not come up in time")
		return nil, ""
	}
}

func (c *crashRig) dial(address string) *client.Client {
	c.t.Helper()
	bank, err := client.New(client.Options{Address: address, TLS: c.g.tls(), Token: c.g.token("bank")})
	require.NoError(c.t, err)
	return bank
}

// load asks from many goroutines until the returned function is called: new questions, repetitions of
// answered ones, and those whose outcome is not known.
func (c *crashRig) load(address string, seed uint64) (stop func()) {
	bank := c.dial(address)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(w)))
			for ctx.Err() == nil && !c.t.Failed() {
				c.ask(ctx, bank, c.pick(r))
				time.Sleep(time.Duration(r.IntN(10)) * time.Millisecond)
			}
		})
	}
	return func() {
		time.Sleep(20 * time.Millisecond) // calls to a dead server fail
		cancel()
		wg.Wait()
		_ = bank.Close()
	}
}

func (c *crashRig) pick(r *rand.Rand) *apiv1.VerifyRequest {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.IntN(10) < 2 {
		for key := range c.unknown {
			return proto.Clone(c.requests[key]).(*apiv1.VerifyRequest)
		}
	}
	if r.IntN(20) == 0 {
		for key := range c.delivered {
			return proto.Clone(c.requests[key]).(*apiv1.VerifyRequest)
		}
	}
	in := &apiv1.VerifyRequest{Scenario: "finance", Template: "urban", Subject: &apiv1.Subject{Number: common.people[r.IntN(len(common.people))].RID}}
	var err error
	if in.IdempotencyKey, in.KeyTimeMs, err = client.NewKey(); err != nil {
		c.t.Error(err)
	}
	c.requests[in.GetIdempotencyKey()] = proto.Clone(in).(*apiv1.VerifyRequest)
	return in
}

func (c *crashRig) ask(ctx context.Context, bank *client.Client, in *apiv1.VerifyRequest) {
	key := in.GetIdempotencyKey()
	out, err := bank.Verify(ctx, in)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		switch status.Code(err) {
		case codes.Unavailable, codes.Canceled, codes.Unknown:
			if c.delivered[key] == nil {
				c.unknown[key] = true
			}
		default:
			c.t.Errorf("a call ended with %v", err)
		}
		return
	}
	delete(c.unknown, key)
	if before := c.delivered[key]; before != nil {
		if before.GetSerial() != out.GetSerial() || before.GetAnswer() != out.GetAnswer() || string(before.GetReceipt().GetResult()) != string(out.GetReceipt().GetResult()) {
			c.t.Error("one key has two answers")
		}
		return
	}
	if other, taken := c.serials[out.GetSerial()]; taken && other != key {
		c.t.Error("one serial stands for two answers")
	}
	c.delivered[key], c.serials[out.GetSerial()] = out, key
}

// settle asks once more for every answer that was lost, and returns what the unit has spent.
func (c *crashRig) settle(address string) int64 {
	bank := c.dial(address)
	defer bank.Close()
	c.mu.Lock()
	var lost []*apiv1.VerifyRequest
	for key, in := range c.requests {
		if c.delivered[key] == nil {
			lost = append(lost, in)
		}
	}
	c.mu.Unlock()
	for _, in := range lost {
		c.ask(ctx(), bank, proto.Clone(in).(*apiv1.VerifyRequest))
	}
	require.Empty(c.t, c.unknown)
	require.Len(c.t, c.delivered, len(c.requests))
	last, err := bank.Verify(ctx(), &apiv1.VerifyRequest{Scenario: "finance", Template: "urban", Subject: &apiv1.Subject{Number: common.people[0].RID}})
	require.NoError(c.t, err)
	return statementOf(c.t, last.GetReceipt()).Budget.Before
}

// judge opens what the killed server left and holds it against what was delivered.
func (c *crashRig) judge(numbers map[string]*city.Person) {
	g := start(c.t, options{dir: c.g.dir, noDomain: true})
	require.Empty(c.t, g.server.Sealed())
	trust, now, truth := g.trust(), time.Now(), truths()["urban"]
	var receipts [][]byte
	indexes := map[uint64]string{}
	for key, out := range c.delivered {
		file := out.GetReceipt().GetReceipt()
		require.True(c.t, receipt.Verify(file, out.GetReceipt().GetResult(), trust, now).OK())
		parts, err := receipt.ParseReceipt(file)
		require.NoError(c.t, err)
		entry, _, _, err := g.server.Runner().Prove(ctx(), parts.Index)
		require.NoError(c.t, err, "an answer without its frame")
		e, err := audit.ParseEntry(entry)
		require.NoError(c.t, err)
		require.Equal(c.t, audit.Release, e.Kind)
		require.Equal(c.t, receipt.StatementHash(parts.Statement), e.Statement)
		require.Empty(c.t, indexes[parts.Index], "one frame for two answers")
		indexes[parts.Index] = key
		require.Equal(c.t, truth(numbers[c.requests[key].GetSubject().GetNumber()]), out.GetAnswer())
		receipts = append(receipts, file)
	}
	report := receipt.VerifyLog(ctx(), g.export(), receipts, trust)
	require.True(c.t, report.OK(), report.Text("en"))
	digest := g.server.Runner().Digest()
	g.stop()
	require.NoError(c.t, os.RemoveAll(g.data("log", "snapshots")))
	g = start(c.t, options{dir: c.g.dir, noDomain: true})
	require.Equal(c.t, digest, g.server.Runner().Digest(), "a replay gives other counters")
}
