package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/yumen-project/yumen/benchmarks/city"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/governance"
)

// load asks a little of everything.
func (g *gateway) load() {
	g.t.Helper()
	for i := range 40 {
		g.must("bank", "finance", "owns-home", common.people[i].RID)
		_, _ = g.verify("bank", "narrow", "urban", common.people[i].RID)
		_, _ = g.as("leju").Verify(ctx(), &apiv1.VerifyRequest{Scenario: "housing", Template: "same-person",
			Subject: &apiv1.Subject{Number: common.people[i%5].RID, Name: "张三", Phone: "13900000000"}})
	}
	_, err := g.as("bank").VerifyBatch(ctx(), &apiv1.VerifyBatchRequest{Scenario: "finance", Template: "urban", Subjects: subjects(100)})
	require.NoError(g.t, err)
}

// What has been spent is the same after a restart, from the snapshot and, without one, from the log
// alone; quotas that were used up stay so.
func TestRestart_CountersEqualAReplay(t *testing.T) {
	g := start(t, options{})
	g.load()
	digest := g.server.Runner().Digest()
	g = g.restart()
	require.Equal(t, digest, g.server.Runner().Digest(), "from the snapshot")
	_, err := g.verify("bank", "narrow", "urban", common.people[0].RID)
	g.refused(err, governance.QuotaExhausted, governance.GatewayRule)
	g.load()
	digest = g.server.Runner().Digest()
	g.stop()
	require.NoError(t, os.RemoveAll(g.data("log", "snapshots")))
	g = start(t, options{dir: g.dir, noDomain: true})
	require.Equal(t, digest, g.server.Runner().Digest(), "from the log alone")
	_, err = g.verify("bank", "narrow", "urban", common.people[0].RID)
	g.refused(err, governance.QuotaExhausted, governance.GatewayRule)
	_, err = g.as("leju").Verify(ctx(), &apiv1.VerifyRequest{Scenario: "housing", Template: "same-person",
		Subject: &apiv1.Subject{Number: common.people[0].RID, Name: "张三", Phone: "13900000000"}})
	g.refused(err, governance.AttemptsExhausted, "九")
}

// A log that was altered, cut or rolled back to an older copy brings the gateway up sealed: it lives,
// it is not ready, and it answers no question.
func TestSealed_TamperedLog(t *testing.T) {
	damage := map[string]func(t *testing.T, g *gateway, older string){
		"a byte of a frame": func(t *testing.T, g *gateway, _ string) {
			edit(t, segment(t, g), func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		},
		"the last frames cut off": func(t *testing.T, g *gateway, _ string) {
			edit(t, segment(t, g), func(b []byte) []byte { return b[:used(b)*3/4] })
		},
		"an older copy of the log": func(t *testing.T, g *gateway, older string) {
			require.NoError(t, os.RemoveAll(g.data("log")))
			require.NoError(t, os.CopyFS(g.data("log"), os.DirFS(older)))
		},
		"no log at all": func(t *testing.T, g *gateway, _ string) { require.NoError(t, os.RemoveAll(g.data("log"))) },
	}
	for name, harm := range damage {
		t.Run(name, func(t *testing.T) {
			g := start(t, options{})
			g.load()
			g.stop()
			older := filepath.Join(t.TempDir(), "older")
			require.NoError(t, os.CopyFS(older, os.DirFS(g.data("log"))))
			g = start(t, options{dir: g.dir, noDomain: true})
			g.t = t
			g.load()
			g.stop()
			require.NoError(t, os.RemoveAll(g.data("log", "snapshots")))
			harm(t, g, older)

			g = start(t, options{dir: g.dir, noDomain: true})
			require.NotEmpty(t, g.server.Sealed())
			require.NotContains(t, g.server.Sealed(), g.dir)
			code, body := g.rest("", http.MethodGet, "/healthz", "")
			require.Equal(t, http.StatusOK, code)
			require.Equal(t, "ok\n", string(body))
			code, _ = g.rest("", http.MethodGet, "/readyz", "")
			require.Equal(t, http.StatusServiceUnavailable, code)
			bank := g.withCertificate("bank")
			_, err := bank.Verify(ctx(), &apiv1.VerifyRequest{Scenario: "finance", Template: "urban", Subject: &apiv1.Subject{Number: common.people[0].RID}})
			require.Equal(t, codes.Unavailable, status.Code(err))
			require.Equal(t, string(governance.Sealed), client.RefusalOf(err).GetRule())
			_, err = g.withCertificate("shuju").Governance.Apply(ctx(), &apiv1.ApplyRequest{Domain: []byte(domain(t, domainText))})
			require.Equal(t, string(governance.Sealed), client.RefusalOf(err).GetRule())
			trust, err := bank.Audit.Trust(ctx(), &apiv1.TrustRequest{})
			require.NoError(t, err)
			require.NotEmpty(t, trust.GetTrust())
		})
	}
}

func segment(t *testing.T, g *gateway) string {
	t.Helper()
	names, err := filepath.Glob(g.data("log", "frames", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, names)
	slices.Sort(names)
	return names[0]
}

// used is the length of a segment without the zeros ahead of the frames.
func used(b []byte) int { return len(strings.TrimRight(string(b), "\x00")) }

// While the register is replaced again and again, every answer is that of the version it cites.
func TestIndexSwapUnderLoad(t *testing.T) {
	old, err := city.New(city.Params{Persons: cityPersons, Seed: citySeed})
	require.NoError(t, err)
	sources := t.TempDir()
	require.NoError(t, os.CopyFS(sources, os.DirFS(common.sources)))
	// The second version of the register is that of a city where the same people live otherwise: each
	// has the record of his neighbour.
	writeHousehold(t, filepath.Join(sources, "v1.csv"), old, 0)
	writeHousehold(t, filepath.Join(sources, "v2.csv"), old, 1)
	version := func(v string) (string, []byte) {
		text := domain(t, domainText, `source: {kind: file, path: household.parquet, format: parquet}
    version: "2026-10"`, `source: {kind: file, path: `+v+`.csv, format: csv}
    version: "`+v+`"`)
		return text, sign(t, text, "half-signed/gongan")
	}
	text, approvals := version("v1")
	g := start(t, options{domain: text, approvals: approvals, sources: sources})
	var stop atomic.Bool
	var seen [2]atomic.Int64
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := w; !stop.Load(); i++ {
				at := i * 7 % (cityPersons - 1)
				out, err := g.verify("bank", "finance", "urban", old.Person(at).RID)
				if err != nil {
					t.Error(err)
					return
				}
				shift := 0
				if statementOf(t, out.GetReceipt()).Dataset.Version == "v2" {
					shift = 1
				}
				record := old.Person(at + shift)
				if out.GetAnswer() != yes(!record.Objection && record.Kind == city.Town) {
					t.Errorf("person %d: not the answer of version v%d", at, shift+1)
					return
				}
				seen[shift].Add(1)
			}
		})
	}
	for i := range 6 {
		text, approvals := version([]string{"v2", "v1"}[i%2])
		_, err := g.as("shuju").Governance.Apply(ctx(), &apiv1.ApplyRequest{Domain: []byte(text), Approvals: approvals})
		require.NoError(t, err)
		time.Sleep(50 * time.Millisecond)
	}
	stop.Store(true)
	wg.Wait()
	require.NotZero(t, seen[0].Load())
	require.NotZero(t, seen[1].Load())
}

// writeHousehold writes the register as CSV; person i has the attributes of person i+shift.
func writeHousehold(t *testing.T, path string, c *city.City, shift int) {
	t.Helper()
	var b strings.Builder
	b.WriteString("rid,name,phone,birth,sex,district,household_id,kind,objection\n")
	for i := range c.Persons() {
		p := c.Person(i)
		q := c.Person(min(i+shift, c.Persons()-1))
		b.WriteString(strings.Join([]string{p.RID, p.Name, p.Phone, p.Birth.Format(time.DateOnly), q.Sex, q.District, q.HouseholdID, q.Kind, map[bool]string{true: "true", false: "false"}[q.Objection]}, ",") + "\n")
	}
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
}
