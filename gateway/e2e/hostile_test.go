package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/governance"
)

// What a gateway under attack, and the attacker in the same process, may keep and may have taken at most,
// beside what was in use before.
const (
	keptBound = 96 << 20
	peakBound = 1 << 30
)

// bounded runs an attack and demands that the heap stays bounded and the gateway answers afterwards.
func (g *gateway) bounded(attack func()) {
	g.t.Helper()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	attack()
	runtime.ReadMemStats(&after)
	require.Less(g.t, int64(after.HeapSys)-int64(before.HeapSys), int64(peakBound), "memory is not bounded")
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(g.t, int64(after.HeapInuse)-int64(before.HeapInuse), int64(keptBound), "memory is kept")
	g.must("bank", "finance", "urban", common.people[0].RID)
}

// call sends raw bytes as one gRPC call over HTTP/2 and returns the gRPC status.
func (g *gateway) call(method string, body io.Reader) (string, string) {
	g.t.Helper()
	web := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: g.tls(), ForceAttemptHTTP2: true}}
	defer web.CloseIdleConnections()
	req, err := http.NewRequest(http.MethodPost, "https://"+g.server.GRPCAddr()+method, body)
	require.NoError(g.t, err)
	req.Header.Set("Content-Type", "application/grpc")
	req.Header.Set("Te", "trailers")
	req.Header.Set("Authorization", "Bearer "+g.token("bank"))
	resp, err := web.Do(req)
	if err != nil {
		return "transport", err.Error()
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	code, text := resp.Trailer.Get("Grpc-Status"), resp.Trailer.Get("Grpc-Message")
	if code == "" {
		code, text = resp.Header.Get("Grpc-Status"), resp.Header.Get("Grpc-Message")
	}
	return code, text
}

// frame is a length-prefixed gRPC message, whose claimed length may be a lie.
func frame(claimed uint32, payload []byte) []byte {
	out := binary.BigEndian.AppendUint32([]byte{0}, claimed)
	return append(out, payload...)
}

// Truncated, garbled and lying frames on every method end in an error status, never in an answer.
func TestHostile_GRPCFrames(t *testing.T) {
	g := start(t, options{})
	good, err := proto.Marshal(keyed(t, "finance", "urban", common.people[0].RID))
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(9, 9))
	garbage := make([]byte, 2000)
	for i := range garbage {
		garbage[i] = byte(r.Uint32())
	}
	verify := apiv1.Verification_Verify_FullMethodName
	g.bounded(func() {
		for cut := 0; cut < len(good)+5; cut += 7 {
			whole := frame(uint32(len(good)), good)
			code, _ := g.call(verify, bytes.NewReader(whole[:min(cut, len(whole)-1)]))
			require.NotEqual(t, "0", code)
		}
		for range 40 {
			code, text := g.call(verify, bytes.NewReader(frame(uint32(len(good)), flip(r, good))))
			require.NotEmpty(t, code)
			require.NotContains(t, text, common.people[0].RID)
		}
		for _, bad := range [][]byte{
			frame(uint32(len(garbage)), garbage), frame(1<<30, garbage), frame(1<<32-1, nil), frame(0, nil), {1, 0, 0, 0, 5, 1, 2, 3, 4, 5}, {255},
			frame(7, []byte("\x0a\xff\xff\xff\xff\x03a")),             // a field of 1 GiB
			frame(12, []byte("\x1a\x0a\xff\xff\xff\xff\xff\x7faaaa")), // and of more
			frame(3, []byte("\x1b\x1b\x1b")),                          // groups never closed
			frame(600, bytes.Repeat([]byte{0x1b}, 600)),
		} {
			for _, method := range []string{verify, apiv1.Verification_VerifyBatch_FullMethodName, apiv1.Tables_Query_FullMethodName,
				apiv1.Jobs_Submit_FullMethodName, apiv1.Governance_Apply_FullMethodName, apiv1.Governance_Suspend_FullMethodName} {
				code, _ := g.call(method, bytes.NewReader(bad))
				require.NotEqual(t, "0", code, "%s answered %x", method, bad[:min(len(bad), 16)])
			}
		}
		code, _ := g.call("/yumen.v1.Verification/NoSuch", bytes.NewReader(frame(0, nil)))
		require.Equal(t, "12", code)
	})
}

// A message over the limit is refused before it is taken in, over gRPC and over REST.
func TestHostile_Oversize(t *testing.T) {
	g := start(t, options{})
	g.bounded(func() {
		huge := &apiv1.VerifyRequest{Scenario: "finance", Template: "urban", Subject: &apiv1.Subject{Number: strings.Repeat("1", 17<<20)}}
		_, err := g.as("bank").Verify(ctx(), huge)
		require.Equal(t, codes.ResourceExhausted, status.Code(err))
		code, _ := g.call(apiv1.Governance_Apply_FullMethodName, io.MultiReader(bytes.NewReader(frame(1<<30, nil)), io.LimitReader(zeros{}, 64<<20)))
		require.NotEqual(t, "0", code)
		req, err := http.NewRequest(http.MethodPost, "https://"+g.server.HTTPAddr()+"/v1/domain:apply", io.LimitReader(zeros{}, 64<<20))
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+g.token("shuju"))
		resp, err := g.web.Do(req)
		if err == nil {
			require.GreaterOrEqual(t, resp.StatusCode, 400)
			require.NoError(t, resp.Body.Close())
		}
		batch := &apiv1.VerifyBatchRequest{Scenario: "finance", Template: "urban", Subjects: make([]*apiv1.Subject, 1_000_000)}
		for i := range batch.Subjects {
			batch.Subjects[i] = &apiv1.Subject{}
		}
		_, err = g.as("bank").VerifyBatch(ctx(), batch)
		g.refused(err, governance.BatchTooLarge, governance.GatewayRule)
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

// Hostile JSON: nesting, wrong types, unknown fields, invalid UTF-8, numbers out of range.
func TestHostile_REST(t *testing.T) {
	g := start(t, options{})
	deep := func(open, end string, n int) string { return strings.Repeat(open, n) + strings.Repeat(end, n) }
	bodies := map[string]string{
		"arrays": deep("[", "]", 500_000), "objects": deep(`{"a":`, "}", 200_000), "in a field": `{"subject":` + deep(`{"subject":`, "}", 100_000) + "}",
		"open": strings.Repeat("[", 1<<20), "empty": "", "null": "null", "number": "17", "half": `{"scenario":`, "unknown": `{"no_such":"x"}`,
		"types": `{"scenario":17}`, "list": `{"scenario":["finance"]}`, "utf8": "{\"scenario\":\"\xff\xfe\"}", "surrogate": `{"scenario":"\ud800"}`,
		"range": `{"key_time_ms":"99999999999999999999"}`, "twice": `{"scenario":"a","scenario":"b"}`, "nul": "{\"scenario\":\"\\u0000\"}", "xml": "<a/>",
	}
	g.bounded(func() {
		for name, body := range bodies {
			for _, path := range []string{"/v1/verify", "/v1/verify:batch", "/v1/tables:query", "/v1/jobs", "/v1/suspensions", "/v1/domain:apply"} {
				code, text := g.rest("bank", http.MethodPost, path, body)
				require.GreaterOrEqual(t, code, 400, "%s %s", name, path)
				require.Less(t, code, 500, "%s %s: %s", name, path, text)
				require.Less(t, len(text), 4096)
			}
		}
		for _, path := range []string{"/v1/log/entries/-1", "/v1/log/entries/99999999999999999999", "/v1/log/entries/x", "/v1/jobs/" + strings.Repeat("a", 5000), "/v1/jobs/..%2f..%2fkeys", "/v1/../keys", "/v1/nothing"} {
			code, _ := g.rest("bank", http.MethodGet, path, "")
			require.GreaterOrEqual(t, code, 300, path)
			require.Less(t, code, 500, path)
		}
	})
}

// Ids and subjects of any length and content are refused or answered, never broken on.
func TestHostile_Fields(t *testing.T) {
	g := start(t, options{})
	long := strings.Repeat("a", 1<<20)
	for name, in := range map[string]*apiv1.VerifyRequest{
		"scenario":  {Scenario: long},
		"template":  {Scenario: "finance", Template: long},
		"number":    {Scenario: "finance", Template: "urban", Subject: &apiv1.Subject{Number: long}},
		"name":      {Scenario: "finance", Template: "same-person", Subject: &apiv1.Subject{Number: common.people[0].RID, Name: long, Phone: "13900000000"}},
		"consent":   {Scenario: "finance", Template: "urban", Consent: long},
		"threshold": {Scenario: "finance", Template: "urban", Threshold: long},
		"nothing":   {},
		"control":   {Scenario: "finance\x00\n", Template: "urban", Subject: &apiv1.Subject{Number: "\x00\x01"}},
		"no one":    {Scenario: "finance", Template: "urban"},
		"invisible": {Scenario: "finance", Template: "urban", Subject: &apiv1.Subject{Number: strings.Repeat("\u200b", 60)}},
	} {
		_, err := g.as("bank").Verify(ctx(), in)
		require.Error(t, err, name)
		require.NotContains(t, []codes.Code{codes.Internal, codes.Unknown, codes.OK}, status.Code(err), name)
		require.Less(t, len(err.Error()), 1000, name)
	}
	g.must("bank", "finance", "urban", common.people[0].RID)
}

// A bomb in a domain file is refused by line and rule within bounds, whoever sends it.
func TestHostile_DomainFiles(t *testing.T) {
	g := start(t, options{})
	var laughs strings.Builder
	laughs.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 30; i++ {
		fmt.Fprintf(&laughs, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1)
	}
	text := domain(t, domainText)
	r := rand.New(rand.NewPCG(5, 5))
	bombs := map[string][]byte{
		"aliases": []byte(laughs.String()), "nesting": []byte(strings.Repeat("[", 1<<20)), "maps": []byte(strings.Repeat("{a: ", 200_000)),
		"long": bytes.Repeat([]byte("a"), 5<<20), "keys": bytes.Repeat([]byte("? a\n"), 200_000), "empty": nil, "nul": {0}, "utf8": {0xff, 0xfe, 0xfd},
		"two documents": []byte(text + "\n---\n" + text), "unknown key": []byte(text + "\nsurprise: 1\n"), "cut": []byte(text[:len(text)/2]),
		"binary": bytes.Repeat([]byte{0x80, 0x7f, '\n'}, 100_000), "dashes": bytes.Repeat([]byte("- "), 500_000),
	}
	for i := range 30 {
		bombs[fmt.Sprint("flipped ", i)] = flip(r, []byte(text))
	}
	g.bounded(func() {
		for name, bomb := range bombs {
			limit, cancel := context.WithTimeout(ctx(), 20*time.Second)
			_, err := g.as("shuju").Governance.Apply(limit, &apiv1.ApplyRequest{Domain: bomb, Approvals: sign(t, text)})
			cancel()
			if strings.HasPrefix(name, "flipped") && err == nil {
				continue
			}
			require.Error(t, err, name)
			require.NotContains(t, []codes.Code{codes.Internal, codes.Unknown, codes.DeadlineExceeded}, status.Code(err), "%s: %v", name, err)
			require.Less(t, len(err.Error()), 64<<10, name)
			_, err = g.as("shuju").Governance.Apply(ctx(), &apiv1.ApplyRequest{Domain: []byte(text), Approvals: bomb})
			if len(bomb) > 0 {
				require.Error(t, err, "approvals: %s", name)
			}
		}
		_, err := g.apply(text, sign(t, text))
		require.NoError(t, err)
	})
}

// A register that is malformed, cut off or not what the domain file says is refused with dataset, row and
// rule, never with a value or a path; what was in force stays in force.
func TestHostile_Registers(t *testing.T) {
	sources := t.TempDir()
	require.NoError(t, os.CopyFS(sources, os.DirFS(common.sources)))
	good, err := os.ReadFile(filepath.Join(sources, "household.parquet"))
	require.NoError(t, err)
	g := start(t, options{sources: sources})
	apply := func(version, name, format string) error {
		text := domain(t, domainText, `source: {kind: file, path: household.parquet, format: parquet}
    version: "2026-10"`, `source: {kind: file, path: `+name+`, format: `+format+`}
    version: "`+version+`"`)
		_, err := g.apply(text, sign(t, text))
		return err
	}
	const canary = "CANARY-220202199001011234"
	r := rand.New(rand.NewPCG(6, 6))
	files := map[string][]byte{
		"cut.parquet": good[:len(good)/2], "tail.parquet": good[len(good)/2:], "empty.parquet": nil, "magic.parquet": []byte("PAR1PAR1"),
		"length.parquet":   append(bytes.Clone(good[:len(good)-8]), 0xff, 0xff, 0xff, 0x7f, 'P', 'A', 'R', '1'),
		"columns.csv":      []byte("rid,name\n" + canary + "," + canary + "\n"),
		"quote.csv":        []byte("rid,name,phone,birth,sex,district,household_id,kind,objection\n\"" + canary),
		"bool.csv":         []byte("rid,name,phone,birth,sex,district,household_id,kind,objection\n" + common.people[0].RID + ",a,b,1990-01-01,男,1,2,城镇," + canary + "\n"),
		"utf8.csv":         []byte("rid,name,phone,birth,sex,district,household_id,kind,objection\n\xff\xfe\n"),
		"one-endless.csv":  bytes.Repeat([]byte("a"), 8<<20),
		"nul.csv":          make([]byte, 1<<20),
		"subject-only.csv": []byte("rid,name,phone,birth,sex,district,household_id,kind,objection\n" + canary + ",a,b,1990-01-01,男,1,2,城镇,false\n"),
	}
	for i := range 25 {
		files[fmt.Sprintf("flip%d.parquet", i)] = flip(r, good)
	}
	n := 0
	g.bounded(func() {
		for name, content := range files {
			require.NoError(t, os.WriteFile(filepath.Join(sources, name), content, 0o600))
			n++
			err := apply(fmt.Sprint("v", n), name, strings.TrimPrefix(filepath.Ext(name), "."))
			if strings.HasPrefix(name, "flip") && err == nil {
				continue // the flipped bit was in a value
			}
			require.Error(t, err, name)
			require.NotContains(t, []codes.Code{codes.Internal, codes.Unknown}, status.Code(err), "%s: %v", name, err)
			g.clean(err.Error(), canary)
		}
		for _, path := range []string{"../secret.parquet", "none.parquet", "."} {
			err := apply("p"+path[:1], path, "parquet")
			require.Error(t, err, path)
			g.clean(err.Error(), canary)
		}
	})
	g.clean(g.logs.String(), canary)
}

// clean demands that a text names no canary, no subject of the city and no path of this machine.
func (g *gateway) clean(text string, canaries ...string) {
	g.t.Helper()
	for _, c := range append(canaries, g.dir, g.sources, common.root) {
		require.NotContains(g.t, text, c)
	}
	for i := range common.people {
		if strings.Contains(text, common.people[i].RID) || strings.Contains(text, common.people[i].Phone) {
			g.t.Fatal("a subject's number or phone is in a text of the gateway")
		}
	}
}

// Whatever is asked, no error and no line of the gateway's own log holds a subject or a path, and what
// the gateway keeps on disk holds no subject in the clear.
func TestNoSubjectInErrorsLogsOrFiles(t *testing.T) {
	g := start(t, options{})
	var texts []string
	for _, c := range refusalCases(t) {
		_, err := g.as(c.party).Verify(ctx(), c.in)
		texts = append(texts, err.Error(), fmt.Sprint(client.RefusalOf(err)))
	}
	g.load()
	p := common.people[50]
	for _, s := range []*apiv1.Subject{{Number: p.RID + "9"}, {Number: p.RID[:17]}, {Number: "x" + p.RID}, {Number: p.RID, Name: p.Name, Phone: p.Phone + "0"}} {
		for _, template := range []string{"urban", "same-person"} {
			_, err := g.as("bank").Verify(ctx(), &apiv1.VerifyRequest{Scenario: "finance", Template: template, Subject: s})
			if err != nil {
				texts = append(texts, err.Error())
			}
		}
	}
	_, metrics := g.rest("jianguan", http.MethodGet, "/metrics", "")
	texts = append(texts, string(metrics), g.logs.String())
	for _, text := range texts {
		g.clean(text)
	}
	g.stop()
	require.NoError(t, filepath.WalkDir(g.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(filepath.Base(path), "domain.") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i := range common.people {
			if bytes.Contains(text, []byte(common.people[i].RID)) || bytes.Contains(text, []byte(common.people[i].Phone)) {
				return errors.New("a subject lies in the clear in " + filepath.Base(path))
			}
		}
		return nil
	}))
}

// Only TLS 1.3 is spoken; a plain connection gets nothing.
func TestTransportIsTLS13Alone(t *testing.T) {
	g := start(t, options{})
	for _, address := range []string{g.server.GRPCAddr(), g.server.HTTPAddr()} {
		config := g.tls()
		config.MinVersion, config.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
		_, err := tls.Dial("tcp", address, config)
		require.Error(t, err)
		resp, err := http.Get("http://" + address + "/healthz")
		if err == nil {
			require.Equal(t, http.StatusBadRequest, resp.StatusCode)
			require.NoError(t, resp.Body.Close())
		}
		conn, err := tls.Dial("tcp", address, g.tls())
		require.NoError(t, err)
		require.Equal(t, uint16(tls.VersionTLS13), conn.ConnectionState().Version)
		require.NoError(t, conn.Close())
	}
}
