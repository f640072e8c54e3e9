package e2e

import (
	"bytes"
	"encoding/hex"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/receipt"
)

func trustOf(t *testing.T, file []byte) *receipt.TrustSet {
	t.Helper()
	set, err := receipt.LoadTrust(fstest.MapFS{"trust.json": {Data: file, Mode: 0o600}})
	require.NoError(t, err)
	return set
}

// Receipts of every kind hold; with any one byte of receipt, result or trust changed they do not.
func TestR59_AnyChangedByteIsFound(t *testing.T) {
	g := start(t, options{})
	trust := g.server.Runner().Trust()
	var all []*apiv1.Receipt
	all = append(all, g.must("bank", "finance", "owns-home", common.people[5].RID).GetReceipt())
	batch, err := g.as("bank").VerifyBatch(ctx(), &apiv1.VerifyBatchRequest{Scenario: "finance", Template: "urban", Subjects: subjects(7)})
	require.NoError(t, err)
	table, err := g.as("leju").Query(ctx(), &apiv1.QueryRequest{Scenario: "housing", Table: "homes-by-district"})
	require.NoError(t, err)
	all = append(all, batch.GetReceipt(), table.GetReceipt())
	r := rand.New(rand.NewPCG(4, 4))
	for _, one := range all {
		file, result := one.GetReceipt(), one.GetResult()
		require.True(t, receipt.Verify(file, result, trustOf(t, trust), time.Now()).OK())
		try := func(file, result, trust []byte) {
			report := receipt.Verify(file, result, trustOf(t, trust), time.Now())
			require.False(t, report.OK())
			require.NotEmpty(t, report.Failed())
		}
		for range 150 {
			try(flip(r, file), result, trust)
			try(file, flip(r, result), trust)
			try(file, result, flip(r, trust))
		}
		try(file[:len(file)-1], result, trust)
		try(append(slices.Clone(file), '\n'), result, trust)
		try(file, append(slices.Clone(result), ' '), trust)
	}
	// One answer's receipt with another's result.
	other := g.must("bank", "finance", "owns-home", common.people[6].RID).GetReceipt()
	require.Equal(t, receipt.ClaimRequest, receipt.Verify(all[0].GetReceipt(), swapID(t, other, all[0]), trustOf(t, trust), time.Now()).Failed())
}

// swapID gives the result file of one answer the statement id of another.
func swapID(t *testing.T, from, to *apiv1.Receipt) []byte {
	t.Helper()
	return bytes.ReplaceAll(from.GetResult(), []byte(statementOf(t, from).ID), []byte(statementOf(t, to).ID))
}

func flip(r *rand.Rand, b []byte) []byte {
	out := slices.Clone(b)
	out[r.IntN(len(out))] ^= byte(1 + r.IntN(255))
	return out
}

// The exported log holds with its receipts; truncated, edited, reordered or forked it does not.
func TestR56_TamperedLogIsFound(t *testing.T) {
	g := start(t, options{})
	var receipts [][]byte
	for i := range 20 {
		receipts = append(receipts, g.must("bank", "finance", "urban", common.people[i].RID).GetReceipt().GetReceipt())
	}
	early := g.export()
	_, err := g.verify("bank", "no-plan", "urban", common.people[0].RID)
	require.Error(t, err)
	for i := range 300 {
		receipts = append(receipts, g.must("bank", "finance", "urban", common.people[i].RID).GetReceipt().GetReceipt())
	}
	dir, trust := g.export(), g.trust()
	require.True(t, receipt.VerifyLog(ctx(), dir, receipts, trust).OK())
	require.True(t, receipt.VerifyLog(ctx(), early, receipts[:20], trust).OK())
	require.False(t, receipt.VerifyLog(ctx(), early, receipts, trust).OK(), "truncated to an older log")

	bad := func(name string, alter func(dir string)) {
		t.Run(name, func(t *testing.T) {
			work := filepath.Join(t.TempDir(), "log")
			require.NoError(t, os.CopyFS(work, os.DirFS(dir)))
			alter(work)
			require.False(t, receipt.VerifyLog(ctx(), work, receipts, trust).OK())
			require.False(t, receipt.VerifyLog(ctx(), work, nil, trust).OK())
		})
	}
	files := logFiles(t, dir)
	require.Greater(t, len(files), 3)
	for _, name := range files {
		bad("without "+filepath.Base(name), func(dir string) { require.NoError(t, os.Remove(filepath.Join(dir, name))) })
		bad("edited "+name, func(dir string) {
			edit(t, filepath.Join(dir, name), func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		})
		bad("cut "+name, func(dir string) { edit(t, filepath.Join(dir, name), func(b []byte) []byte { return b[:len(b)-1] }) })
	}
	bundle := func() string {
		for _, name := range files {
			if strings.Contains(name, "entries") {
				return name
			}
		}
		t.Fatal("no entry bundle")
		return ""
	}()
	bad("reordered", func(dir string) {
		edit(t, filepath.Join(dir, bundle), func(b []byte) []byte { // two entries change places
			size := (len(b)) / 256
			first := slices.Clone(b[10*size : 11*size])
			copy(b[10*size:], b[11*size:12*size])
			copy(b[11*size:], first)
			return b
		})
	})
	// Another log under another key, and the same domain begun anew: a fork for those who hold receipts.
	other := start(t, options{})
	for i := range 40 {
		other.must("bank", "finance", "urban", common.people[i].RID)
	}
	require.False(t, receipt.VerifyLog(ctx(), other.export(), receipts, trust).OK())
	require.False(t, receipt.VerifyLog(ctx(), other.export(), receipts, other.trust()).OK())
}

func logFiles(t *testing.T, dir string) (out []string) {
	t.Helper()
	require.NoError(t, fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out = append(out, path)
		}
		return err
	}))
	return out
}

func edit(t *testing.T, path string, alter func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, alter(b), 0o600))
}

// From receipt, log and trust alone nobody recovers subject or answer: a dictionary of all persons and
// answers opens nothing, under any nonce that the public material holds, and no subject stands anywhere
// in it. Two answers about one subject cannot be linked.
func TestR39_PublicMaterialTellsNothing(t *testing.T) {
	g := start(t, options{})
	asked := &common.people[17]
	a := g.must("bank", "finance", "urban", asked.RID)
	b := g.must("bank", "finance", "urban", asked.RID)
	sa, sb := statementOf(t, a.GetReceipt()), statementOf(t, b.GetReceipt())
	require.NotEqual(t, sa.Request, sb.Request)
	require.NotEqual(t, sa.Result, sb.Result)

	public := bytes.NewBuffer(slices.Concat(a.GetReceipt().GetReceipt(), b.GetReceipt().GetReceipt(), g.server.Runner().Trust()))
	dir := g.export()
	for _, name := range logFiles(t, dir) {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		public.Write(text)
	}
	for i := range common.people {
		p := &common.people[i]
		require.False(t, bytes.Contains(public.Bytes(), []byte(p.RID)))
		require.False(t, bytes.Contains(public.Bytes(), []byte(p.Phone)))
	}
	// Every 32 bytes that are in the open, and none, as nonces.
	nonces := []receipt.Nonce{{}}
	for _, text := range []string{sa.Request, sa.Result, sa.Policy, sa.Trust, sa.ID + sa.ID, sb.Request, sb.Result} {
		raw, err := hex.DecodeString(text)
		require.NoError(t, err)
		nonces = append(nonces, receipt.Nonce(raw))
	}
	commitments := map[string]bool{sa.Request: true, sb.Request: true, sa.Result: true, sb.Result: true}
	try := func(n *receipt.Nonce, tag string, value []byte) {
		if commitments[receipt.Commit(tag, n, value).String()] || commitments[audit.HashOf(value).String()] {
			t.Fatal("a commitment was opened from public material")
		}
	}
	for i := range nonces {
		for _, answer := range []string{"10", "11", "20", "21", "30", "40"} {
			try(&nonces[i], receipt.TagResult, []byte(`{"answer":`+answer+`}`))
		}
		for j := range common.people {
			try(&nonces[i], receipt.TagRequest, []byte(`{"name":"","number":"`+common.people[j].RID+`","phone":""}`))
		}
	}
	// The dictionary is of the right form: with the requester's own result file it opens at once.
	require.Contains(t, string(a.GetReceipt().GetResult()), `{"name":"","number":"`+asked.RID+`","phone":""}`)
}
