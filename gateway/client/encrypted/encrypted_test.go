package encrypted

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/keyring"
)

type logSigner struct{ keyring.SignerKey }

func (s logSigner) KeyID() [32]byte { return s.Public().ID() }

// A frontier, grown entry by entry or read off an inclusion proof, has the log's root.
func TestFrontierIsTheLogs(t *testing.T) {
	key, err := keyring.GenerateSigner(keyring.Checkpoint, rand.Reader)
	require.NoError(t, err)
	dir := t.TempDir()
	log, err := audit.Open(context.Background(), audit.Options{Dir: filepath.Join(dir, "log"), CheckpointDir: filepath.Join(dir, "second"),
		Origin: "yumen/test", KeyName: "yumen", Signer: logSigner{key}, Clock: time.Now,
		Verify: func(msg, sig []byte) bool { return key.Public().Verify(keyring.Checkpoint, msg, sig) }})
	require.NoError(t, err)
	defer log.Close()
	var grown Frontier
	require.Equal(t, audit.HashOf(nil), grown.Root())
	roots := []audit.Hash{grown.Root()}
	for i := range 40 {
		a, err := log.Append(context.Background(), audit.Record{Kind: audit.Genesis, Time: int64(i)})
		require.NoError(t, err)
		grown.Append(a.Entry)
		require.True(t, grown.Valid())
		require.Equal(t, a.Checkpoint.Root, grown.Root())
		roots = append(roots, grown.Root())
	}
	for i := range uint64(40) {
		p, err := log.Prove(context.Background(), i)
		require.NoError(t, err)
		f := (&Entry{Index: i, Checkpoint: p.Checkpoint, bytes: p.Entry, proof: p.Proof}).Frontier()
		require.True(t, f.Valid())
		require.Equal(t, i+1, f.Size)
		require.Equal(t, roots[i+1], f.Root())
	}
}

func TestPartiesFile(t *testing.T) {
	one := func() keyring.PublicKey {
		k, err := keyring.GenerateSigner(keyring.Agent, rand.Reader)
		require.NoError(t, err)
		return k.Public()
	}
	good := Parties{Format: 1, Authority: "a", Threshold: 2, List: []Party{{ID: "a", Agent: one(), Envelope: one()}, {ID: "b", Agent: one()}}}
	text, err := json.Marshal(good)
	require.NoError(t, err)
	p, err := ParseParties(text)
	require.NoError(t, err)
	require.Equal(t, &good, p)
	_, err = p.Holder("a")
	require.NoError(t, err)
	_, err = p.Holder("b")
	require.ErrorIs(t, err, ErrTrust, "no envelope key")
	for name, change := range map[string]func(*Parties){
		"format": func(p *Parties) { p.Format = 2 }, "threshold": func(p *Parties) { p.Threshold = 1 }, "authority": func(p *Parties) { p.Authority = "c" },
		"name": func(p *Parties) { p.List[1].ID = "a" }, "key": func(p *Parties) { p.List[1].Agent = p.List[0].Envelope },
	} {
		bad := good
		bad.List = append([]Party(nil), good.List...)
		change(&bad)
		text, err := json.Marshal(bad)
		require.NoError(t, err)
		_, err = ParseParties(text)
		require.ErrorIs(t, err, ErrParties, name)
	}
}

func FuzzParseParties(f *testing.F) {
	f.Add([]byte(`{"parties":[{"id":"a"}],"authority":"a","minimum_threshold":2,"yumen-parties":1}`))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = ParseParties(b) })
}

func TestQuestion(t *testing.T) {
	q := Question{Kind: "score", Aggregate: "a", Scenario: "s", Requester: "bank", Datasets: [][2]string{{"y", "1"}, {"x", "1"}},
		Columns: []string{"x.f.l*-3", "y.g.m*2"}, Valid: time.Hour}
	out, err := q.Query(time.Unix(1000, 0))
	require.NoError(t, err)
	require.Equal(t, "x", out.Datasets[0].Dataset)
	require.Equal(t, int64(-3), out.Columns[0].Weight)
	for _, bad := range []string{"x.f", "x.f.l*", "x.f.l*a"} {
		q.Columns = []string{bad}
		_, err := q.Query(time.Unix(1000, 0))
		require.ErrorIs(t, err, ErrQuestion, bad)
	}
}
