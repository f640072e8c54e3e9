package e2e

import (
	"bytes"
	"crypto/rand"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/compute/he/threshold"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/encrypted/wire"
	"github.com/yumen-project/yumen/gateway/keyring"
)

func (w *encryptedWorld) certHash(dataset string) [32]byte {
	w.t.Helper()
	key, err := w.sets[dataset]["shuju"].Cert.Hash()
	require.NoError(w.t, err)
	return key
}

// hand uploads one leaf.
func (w *encryptedWorld) hand(in *apiv1.PutLeavesRequest) error {
	w.t.Helper()
	stream, err := w.as("zhujian").PutLeaves(ctx())
	require.NoError(w.t, err)
	_ = stream.Send(in)
	_, err = stream.CloseAndRecv()
	return err
}

// Malformed ciphertexts at every bit of the header and every length about it: refused, whether they begin a lane or
// come to one that is there. What the rows field may say instead is the provider's own other leaf, which no manifest
// that it signed names.
func TestAttackMalformedLeavesAtEveryBit(t *testing.T) {
	w := newEncryptedWorld(t)
	w.keygen("housing")
	e, err := he.NewEncryptor(w.params, w.sets["housing"]["shuju"].Public, rand.Reader)
	require.NoError(t, err)
	leaf, err := e.Encrypt(nil, he.Header{Key: w.certHash("housing"), Lane: he.LaneID("housing", "2026-10", "x"), Rows: 3}, []int64{1, 2, 3}, 10)
	require.NoError(t, err)
	good := leaf.Bytes()
	put := func(b []byte) error {
		return w.hand(&apiv1.PutLeavesRequest{Dataset: "housing", Version: "2026-10", Lane: "x", Leaf: b})
	}
	const header = 4 + 2 + 32 + 32 + 32 + 4 + 4
	for bit := range (header - 4) * 8 { // rows are at the end
		bad := bytes.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		require.Contains(t, []codes.Code{codes.InvalidArgument, codes.PermissionDenied}, code(put(bad)), "bit %d", bit)
		if bit == header*4 {
			require.NoError(t, put(good), "from here on the lane is there")
		}
	}
	for bit := (header - 4) * 8; bit < header*8; bit++ {
		bad := bytes.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		require.Contains(t, []codes.Code{codes.InvalidArgument, codes.AlreadyExists}, code(put(bad)), "bit %d", bit)
	}
	lengths := []int{len(good) - 1, len(good) - 8, len(good) / 2, len(good)/2 + 1}
	for n := range header + 16 {
		lengths = append(lengths, n)
	}
	for _, n := range lengths {
		require.Equal(t, codes.InvalidArgument, code(put(good[:n])), "%d bytes", n)
	}
	require.Equal(t, codes.InvalidArgument, code(put(append(bytes.Clone(good), 0))))
	high := bytes.Clone(good) // residues beyond the primes
	copy(high[header:], bytes.Repeat([]byte{0xff}, 64))
	require.Equal(t, codes.InvalidArgument, code(put(high)))
	out, err := w.as("zhujian").Leaves(ctx(), &apiv1.LeavesRequest{Dataset: "housing", Version: "2026-10", Lane: "x"})
	require.NoError(t, err)
	require.Equal(t, []uint32{0, 1}, out.GetHeld(), "one leaf")
}

// One record, one person among the provider's own zeros, and two openings that differ by one person never reach a
// holder: the gateway refuses their manifest on signed counts.
func TestAttackOnePerson(t *testing.T) {
	w := newEncryptedWorld(t)
	for _, dataset := range []string{"housing", "civil"} {
		w.keygen(dataset)
	}
	_, err := w.provide("housing", []int64{4200})
	require.Equal(t, codes.PermissionDenied, code(err))
	require.ErrorContains(t, err, plan.RuleMinimum)
	one := make([]int64, 500)
	one[77] = 4200
	_, err = w.provide("civil", one)
	require.Equal(t, codes.PermissionDenied, code(err))
	require.ErrorContains(t, err, plan.RuleOne)
	_, err = w.try("bank", objectQuery, w.query("bank", "mean-housing", plan.Mean, "housing"))
	require.Equal(t, codes.Unavailable, code(err), "nothing to ask about")
}

// Three openings, of everybody and of two groups that leave one person out, of which any two holders might see two:
// the signed overlap of the lanes ends it before anything is asked.
func TestAttackThreeOpeningsThatHideADifference(t *testing.T) {
	w := newEncryptedWorld(t)
	w.keygen("housing")
	for _, unknown := range []int{1, 9} {
		m := w.overlapping(t, unknown)
		_, err := w.try("zhujian", objectManifest, m)
		require.Equal(t, codes.PermissionDenied, code(err), "%v", err)
		require.ErrorContains(t, err, plan.RuleOverlap)
		m.Overlaps = nil // a provider that leaves the count out
		m.Signature = w.who.sign(t, "zhujian", m)
		_, err = w.try("zhujian", objectManifest, m)
		require.Error(t, err)
	}
}

func (w *encryptedWorld) overlapping(t *testing.T, unknown int) *plan.Manifest {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "amount", Type: arrow.PrimitiveTypes.Int64}, {Name: "sex", Type: arrow.BinaryTypes.String}, {Name: "age", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i, v := range amounts(300, 5) {
		b.Field(0).(*array.Int64Builder).Append(v)
		b.Field(1).(*array.StringBuilder).Append([]string{"f", "m"}[i%2])
		if i < unknown {
			b.Field(2).AppendNull()
		} else {
			b.Field(2).(*array.Int64Builder).Append(30)
		}
	}
	rows, err := array.NewRecordReader(schema, []arrow.Record{b.NewRecord()})
	require.NoError(t, err)
	key, amount := w.certHash("housing"), []string{"amount"}
	lanes := []plan.LaneSpec{
		{Name: "all", Kind: plan.Value, Columns: amount, Bounds: []uint64{1 << 40}, Key: key, Degree: w.params.N()},
		{Name: "known", Kind: plan.Bucketed, Columns: amount, Bounds: []uint64{1 << 40}, SkipNulls: true, Present: []string{"age"}, GroupBy: "sex", Groups: []string{"f", "m"}, Key: key, Degree: w.params.N()},
	}
	builder, err := plan.NewBuilder(schema, plan.Spec{Dataset: "housing", Version: "2026-10", Provider: "zhujian", RowSubjects: true, HashKey: [32]byte{1}, Lanes: lanes})
	require.NoError(t, err)
	e, err := he.NewEncryptor(w.params, w.sets["housing"]["shuju"].Public, rand.Reader)
	require.NoError(t, err)
	for batch, err := range builder.Batches(ctx(), rows) {
		require.NoError(t, err)
		leaf, err := batch.Encrypt(e, nil)
		require.NoError(t, err)
		require.NoError(t, builder.AddLeaf(batch.Lane, batch.Header.Batch, leaf.Hash()))
		err = w.hand(&apiv1.PutLeavesRequest{Dataset: "housing", Version: "2026-10", Lane: batch.Lane, Batch: batch.Header.Batch, Leaf: leaf.Bytes()})
		if unknown == 1 {
			require.NoError(t, err)
		}
	}
	m, err := builder.Manifest()
	require.NoError(t, err)
	m.Signature = w.who.sign(t, "zhujian", m)
	return m
}

// An operator that adds a multiple of one record: the openings are other bytes, which holders did not compute, and
// leaves that it changed on its disk serve neither its own evaluation nor a holder's.
func TestAttackMultipleOfARecord(t *testing.T) {
	w := newEncryptedWorld(t)
	w.keygen("housing")
	_, err := w.provide("housing", amounts(300, 3))
	require.NoError(t, err)
	query := w.put("bank", objectQuery, w.query("bank", "mean-housing", plan.Mean, "housing"))
	w.until("bank", query, "computed")
	v := w.recompute("exchange", query)
	altered := make([]*he.Opening, len(v.openings))
	for i, o := range v.openings {
		c := *o
		c.B = append([]uint64{}, o.B...)
		c.B[0] = (c.B[0] + 1000) % w.params.Q()[0]
		altered[i] = &c
	}
	list, err := threshold.ListHash(w.params, altered)
	require.NoError(t, err)
	require.NotEqual(t, v.list, list)
	a := w.approval("exchange", v)
	a.Openings = list
	a.Signature = w.who.sign(t, "exchange", a)
	_, err = w.try("exchange", objectApproval, a)
	require.Equal(t, codes.PermissionDenied, code(err), "an approval of what was not computed here")

	files, err := filepath.Glob(w.g.data("encrypted", "leaves", "*", "leaves"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	whole, err := os.ReadFile(files[0])
	require.NoError(t, err)
	bent := bytes.Clone(whole)
	bent[len(bent)/3] ^= 1
	require.NoError(t, os.WriteFile(files[0], bent, 0o600))
	_, err = (&downloaded{w, "jianguan"}).all("housing", "2026-10", "amount", 0, 1)
	require.Error(t, err, "a holder gets no altered leaf")
	q := w.query("bank", "mean-housing", plan.Mean, "housing")
	q.Purpose = "on altered leaves"
	second, err := w.try("bank", objectQuery, w.signQuery(q))
	if err == nil {
		for range 20 {
			require.NotEqual(t, "computed", w.result("bank", second).GetState())
			time.Sleep(50 * time.Millisecond)
		}
	}
	require.NoError(t, os.WriteFile(files[0], whole, 0o600))
}

// The same question for another purpose opens the same bytes: repetition averages nothing. And an approval of one is
// none of the other, whoever hands it in and however often.
func TestAttackRepetitionAndReplayedApproval(t *testing.T) {
	w := newEncryptedWorld(t, "SCALARS", "100")
	w.keygen("insurance")
	_, err := w.provide("insurance", amounts(300, 3))
	require.NoError(t, err)
	_, err = w.try("bank", objectQuery, w.query("bank", "mean-housing", plan.Mean, "housing"))
	require.Error(t, err)
	w.keygen("civil")
	w.keygen("housing")
	for _, d := range []string{"civil", "housing"} {
		_, err := w.provide(d, amounts(300, 9))
		require.NoError(t, err)
	}
	ask := func(purpose string) ([32]byte, *holderView) {
		q := w.query("bank", "total", plan.Sum, "civil", "housing", "insurance")
		q.Purpose = purpose
		query := w.put("bank", objectQuery, w.signQuery(q))
		w.until("bank", query, "computed")
		return query, w.recompute("exchange", query)
	}
	one, v := ask("one")
	two, u := ask("two")
	require.NotEqual(t, one, two)
	require.NotEqual(t, v.planHash, u.planHash)
	require.Equal(t, v.list, u.list, "the same openings")
	for _, h := range encryptedHolders {
		require.Equal(t, w.shares(h, v), w.shares(h, u), "and the same answers, bit for bit")
	}
	approval := w.approval("exchange", v)
	w.put("exchange", objectApproval, approval)
	for _, party := range []string{"bank", "shuju", "zhujian", "jianguan"} {
		_, err := w.try(party, objectApproval, approval)
		require.Equal(t, codes.NotFound, code(err), "handed in by %s", party)
	}
	moved := *approval
	moved.Query, moved.Plan = two, u.planHash
	_, err = w.try("exchange", objectApproval, &moved)
	require.Equal(t, codes.InvalidArgument, code(err), "its signature is of another query")
	w.put("exchange", objectApproval, approval)
	require.EqualValues(t, 1, w.result("bank", one).GetApprovals())
	require.Zero(t, w.result("bank", two).GetApprovals())
	// Too few holders: one approval releases nothing, and its holder's answer is not taken.
	_, err = w.try("exchange", objectAnswer, w.answer("exchange", v))
	require.Equal(t, codes.FailedPrecondition, code(err))
	sharing := w.sets["housing"]["exchange"].Share.Sharing()
	_, err = threshold.Combine(w.params, sharing, v.openings, map[int][]threshold.Answer{2: w.shares("exchange", v)}, v.plan.Bounds())
	require.ErrorIs(t, err, threshold.ErrTooFew, "gateway, requester and one holder")
}

// shares are a holder's answers in the clear.
func (w *encryptedWorld) shares(holder string, v *holderView) []threshold.Answer {
	w.t.Helper()
	var shares []*threshold.Share
	for _, k := range v.plan.Keys {
		for _, of := range w.sets {
			if hash, err := of[holder].Cert.Hash(); err == nil && hash == k.Key {
				shares = append(shares, of[holder].Share)
			}
		}
	}
	out, err := threshold.Open(shares, v.openings)
	require.NoError(w.t, err)
	return out
}

// A holder that answers falsely after the release is named by the requester, once all three have answered. And
// nothing on the gateway's disk is a holder's secret, by then or ever.
func TestAttackCheatingHolderIsNamed(t *testing.T) {
	w := newEncryptedWorld(t)
	w.keygen("housing")
	_, err := w.provide("housing", amounts(300, 3))
	require.NoError(t, err)
	query := w.put("bank", objectQuery, w.query("bank", "mean-housing", plan.Mean, "housing"))
	w.until("bank", query, "computed")
	v := w.recompute("exchange", query)
	for _, h := range []string{"shuju", "exchange"} {
		w.approve(h, v)
	}
	w.until("bank", query, "released")
	for _, h := range encryptedHolders {
		parts := w.shares(h, v)
		if h == "exchange" {
			for i := range parts[0].Parts {
				parts[0].Parts[i].Value[0] ^= 1
			}
		}
		share := w.sets["housing"][h].Share
		plain, err := threshold.MarshalAnswers(w.params, share.Sharing(), share.Holder(), v.list, parts)
		require.NoError(t, err)
		a := &wire.Answer{Query: v.query, Plan: v.planHash, Openings: v.list, Holder: h}
		a.Sealed, err = keyring.SealTo(w.who.envelope["bank"].Public(), a.Context(), plain, rand.Reader)
		require.NoError(t, err)
		a.Signature = w.who.sign(t, h, a)
		w.put(h, objectAnswer, a)
		_, err = w.as("leju").Get(ctx(), &apiv1.GetRequest{Kind: objectAnswer, Hash: w.hashOf(a)})
		require.Equal(t, codes.NotFound, code(err), "an answer is its requester's")
	}
	answers := map[int][]threshold.Answer{}
	for _, hash := range w.result("bank", query).GetAnswers() {
		a, err := wire.ParseAnswer(w.get("bank", objectAnswer, [32]byte(hash)))
		require.NoError(t, err)
		plain, err := w.who.envelope["bank"].OpenEnvelope(a.Context(), a.Sealed)
		require.NoError(t, err)
		cert := w.sets["housing"]["shuju"].Cert
		point := cert.Point(a.Holder)
		answers[point], err = threshold.ParseAnswers(w.params, w.sets["housing"]["shuju"].Share.Sharing(), point, v.list, len(v.openings), plain)
		require.NoError(t, err)
	}
	_, err = threshold.Combine(w.params, w.sets["housing"]["shuju"].Share.Sharing(), v.openings, answers, v.plan.Bounds())
	var e *threshold.DisagreementError
	require.ErrorAs(t, err, &e)
	require.Equal(t, []int{2}, e.Holders)
	require.True(t, e.Certain)
	w.searchSecrets("housing")
}

// hashOf is the hash under which the gateway knows an object it took.
func (w *encryptedWorld) hashOf(o canonical) []byte {
	w.t.Helper()
	h := w.put(o.(*wire.Answer).Holder, objectAnswer, o)
	return h[:]
}

// searchSecrets looks for seeds of components in every file of the gateway.
func (w *encryptedWorld) searchSecrets(dataset string) {
	w.t.Helper()
	var seeds [][]byte
	for _, h := range encryptedHolders {
		b := w.sets[dataset][h].Share.Bytes()
		for i := 72; i+32 <= len(b); i += 32 {
			seeds = append(seeds, b[i:i+32])
		}
	}
	require.Len(w.t, seeds, 6)
	require.NoError(w.t, filepath.WalkDir(w.g.data(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "/lock") {
			return err
		}
		b, err := os.ReadFile(path)
		for _, s := range seeds {
			require.False(w.t, bytes.Contains(b, s[:16]), "a seed in %s", filepath.Base(path))
		}
		return err
	}))
}

// A last mover that has seen the others' contributions and changes its own, through the gateway's mailbox: every
// honest holder ends the ceremony and names it. A public key that no certificate names is not taken either.
func TestAttackRogueLastMoverAndSwappedKey(t *testing.T) {
	w := newEncryptedWorld(t)
	p := w.proposal("housing")
	id := w.put("shuju", objectProposal, p)
	machines, cursors := map[string]*ceremony.Machine{}, map[string]uint64{}
	for _, h := range encryptedHolders {
		m, err := ceremony.New(w.config(p.Terms, h))
		require.NoError(t, err)
		machines[h] = m
		w.post(h, m.Sent())
	}
	ended := map[string]*ceremony.AbortError{}
	var seen, moved bool
	for range 40 {
		for _, h := range []string{"shuju", "jianguan", "exchange"} {
			if ended[h] == nil && (h != "exchange" || !moved) {
				var now bool
				seen, now = w.rogueStep(h, id, machines[h], cursors, ended, seen)
				moved = moved || now
			}
		}
	}
	require.True(t, seen && moved)
	for _, h := range []string{"shuju", "jianguan"} {
		require.NotNil(t, ended[h], h)
		require.Equal(t, ceremony.RuleCommitment, ended[h].Rule)
		require.Equal(t, []string{"exchange"}, ended[h].Parties)
		require.True(t, ended[h].Proven)
	}

	w.keygen("civil")
	own, other := w.sets["civil"]["shuju"].Public, &he.PublicKey{}
	*other = *own
	other.B = *own.B.CopyNew()
	other.B.Coeffs[0][0] ^= 1
	b, err := (&wire.Keys{Public: other}).Bytes(w.params)
	require.NoError(t, err)
	_, err = w.try("jianguan", apiv1.ObjectKind_OBJECT_KIND_PUBLIC_KEY, bytesOf(b))
	require.Equal(t, codes.NotFound, code(err))
}

// rogueStep steps a machine; exchange, who comes last, reveals another contribution than it committed to.
func (w *encryptedWorld) rogueStep(h string, id [32]byte, m *ceremony.Machine, cursors map[string]uint64, ended map[string]*ceremony.AbortError, seen bool) (bool, bool) {
	w.t.Helper()
	out, err := w.as(h).Poll(ctx(), &apiv1.PollRequest{Cursor: cursors[h]})
	require.NoError(w.t, err)
	cursors[h] = out.GetCursor()
	var inbox []ceremony.Message
	for _, e := range out.GetEvents() {
		if e.GetKind() == objectCeremony && [32]byte(e.GetThread()) == id {
			m, err := ceremony.ParseMessage(w.get(h, e.GetKind(), [32]byte(e.GetHash())))
			require.NoError(w.t, err)
			inbox = append(inbox, *m)
		}
	}
	outbox, _, err := m.Step(inbox)
	if err != nil {
		var abort *ceremony.AbortError
		require.ErrorAs(w.t, err, &abort)
		ended[h] = abort
	}
	moved := false
	for i := range outbox {
		o := &outbox[i]
		if o.Round == ceremony.RoundReveal && h != "exchange" {
			seen = true
		}
		if o.Round == ceremony.RoundReveal && h == "exchange" {
			moved = true
			o.Body = bytes.Clone(o.Body)
			o.Body[len(o.Body)/2] ^= 1
			o.Sig, err = w.who.agent[h].Sign(o.SigningBytes())
			require.NoError(w.t, err)
		}
		w.put(h, objectCeremony, o)
	}
	return seen, moved
}
