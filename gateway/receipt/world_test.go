package receipt

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/keyring"
)

// world is a log of one key that lives in memory, written by hand so that it
// can also do what a real log would not.
type world struct {
	t      require.TestingT
	key    keyring.SignerKey
	trust  Trust
	file   []byte // the trust file
	leaves []audit.Hash
}

const worldOrigin = "jilin.example/log"

func newWorld(t require.TestingT) *world {
	key, err := keyring.GenerateSigner(keyring.Checkpoint, rand.Reader)
	require.NoError(t, err)
	w := &world{t: t, key: key, trust: Trust{
		Domain: "jilin", Origin: worldOrigin, KeyName: "jilin-2026", CheckpointKey: key.Public().String(), NotBefore: "2026-01-01",
	}}
	w.file, err = w.trust.Marshal()
	require.NoError(t, err)
	for i := range 5 {
		w.leaves = append(w.leaves, audit.HashOf([]byte{byte(i)}))
	}
	return w
}

func (w *world) set() *TrustSet { return trustSet(w.t, map[string][]byte{"trust.json": w.file}) }

func trustSet(t require.TestingT, files map[string][]byte) *TrustSet {
	dir := fstest.MapFS{}
	for name, b := range files {
		dir[name] = &fstest.MapFile{Data: b}
	}
	set, err := LoadTrust(dir)
	require.NoError(t, err)
	return set
}

// statement is the sample under the world's trust file.
func (w *world) statement() *Statement {
	s := sample()
	s.Trust = TrustHash(w.file).String()
	return s
}

// release appends an entry for s, two others after it, and makes its receipt.
func (w *world) release(s *Statement) *Receipt {
	text := canonical(w.t, s)
	entry := audit.Entry{Kind: audit.Release, Time: 1_795_000_000_000, Statement: StatementHash(text), Private: audit.HashOf(nil)}
	r, err := build(text, w.append(entry))
	require.NoError(w.t, err)
	return r
}

func build(text []byte, a *audit.Appended) (*Receipt, error) {
	return Build(text, StatementHash(text), a.Entry, a.Index, a.Proof, a.Checkpoint.Text)
}

func (w *world) append(entry audit.Entry) *audit.Appended {
	raw, index := entry.AppendTo(nil), len(w.leaves)
	w.leaves = append(w.leaves, audit.LeafHash(raw), audit.Hash{1}, audit.Hash{2})
	return &audit.Appended{Index: uint64(index), Entry: raw, Proof: merklePath(w.leaves, index, nil),
		Checkpoint: &audit.Checkpoint{Text: w.checkpoint(w.key, len(w.leaves), merkleRoot(w.leaves))}}
}

// checkpoint writes and signs a note as the log does.
func (w *world) checkpoint(key keyring.SignerKey, size int, root audit.Hash) []byte {
	id := key.Public().ID()
	body := fmt.Sprintf("%s\n%d\n%s\ntime 1795000000001\nkey %s\n", w.trust.Origin, size,
		base64.StdEncoding.EncodeToString(root[:]), hex.EncodeToString(id[:]))
	sig, err := key.Sign([]byte(body))
	require.NoError(w.t, err)
	sum := audit.HashOf(append([]byte(w.trust.KeyName+"\n\xffyumen/sm2-sm3/v1"), id[:]...))
	blob := append(binary.BigEndian.AppendUint32(nil, binary.BigEndian.Uint32(sum[:4])), sig...)
	return []byte(body + "\n— " + w.trust.KeyName + " " + base64.StdEncoding.EncodeToString(blob) + "\n")
}

func (w *world) bytes(r *Receipt) []byte {
	b, err := r.Append(nil)
	require.NoError(w.t, err)
	return b
}

// answer releases one verification with its result file.
func (w *world) answer() (receipt, result []byte) {
	request := &Opening{Nonce: Nonce{1, 2}, Value: []byte(`{"id":"220102199003071234","query":"owns-home"}`)}
	answer := &Opening{Nonce: Nonce{3, 4}, Value: []byte(`{"answer":"yes"}`)}
	s := w.statement()
	s.Request, s.Result = request.Commit(TagRequest).String(), answer.Commit(TagResult).String()
	result, err := AppendResult(nil, s.ID, request, answer)
	require.NoError(w.t, err)
	return w.bytes(w.release(s)), result
}

// rows yields n rows, every third one "no".
func rows(n int) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		for i := range n {
			answer := `{"answer":"yes"}`
			if i%3 == 0 {
				answer = `{"answer":"no"}`
			}
			if !yield(fmt.Appendf(nil, `{"id":"22010219900307%04d"}`, i), []byte(answer)) {
				return
			}
		}
	}
}

// batch releases a batch of n rows with its result file.
func (w *world) batch(n int) (receipt, result []byte) {
	seed := Seed{9, 9}
	commitments := NewRowCommitments(&seed, n)
	for request, answer := range rows(n) {
		commitments.Add(request, answer)
	}
	common, nonce := []byte(`{"query":"owns-home"}`), seed.RequestNonce()
	s := w.statement()
	s.Kind, s.Rows = KindBatch, int64(n)
	s.Request, s.Result = Commit(TagRequest, &nonce, common).String(), commitments.Root().String()
	result, err := AppendBatch(nil, s.ID, &seed, common, rows(n))
	require.NoError(w.t, err)
	return w.bytes(w.release(s)), result
}

func noon() time.Time { return time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC) }
