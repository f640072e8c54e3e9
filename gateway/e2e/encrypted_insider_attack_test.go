package e2e

import (
	"crypto/rand"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/plan"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client/encrypted"
)

// With the credentials of one requester, provider or holder: no number that is another's, and nothing charged twice,
// however often and however much at once a query, an approval and an answer come in.
func TestAttackInsiders(t *testing.T) {
	w := newEncryptedWorld(t)
	w.keygen("housing")
	_, err := w.provide("housing", amounts(300, 3))
	require.NoError(t, err)
	q := w.query("bank", "mean-housing", plan.Mean, "housing")
	q.Purpose = "at once"
	query := w.askAtOnce(q)
	w.until("bank", query, "computed")
	v := w.recompute("exchange", query)

	type sight struct{ result, plan, openings codes.Code }
	views := func(want map[string]sight) {
		t.Helper()
		for party, s := range want {
			_, err := w.as(party).Result(ctx(), &apiv1.ResultRequest{Query: query[:]})
			require.Equal(t, s.result, code(err), "%s: result", party)
			_, err = w.as(party).Get(ctx(), &apiv1.GetRequest{Kind: objectPlan, Hash: v.planHash[:]})
			require.Equal(t, s.plan, code(err), "%s: plan", party)
			_, err = w.as(party).Get(ctx(), &apiv1.GetRequest{Kind: objectOpenings, Hash: v.list[:]})
			require.Equal(t, s.openings, code(err), "%s: openings", party)
		}
	}
	none := sight{codes.NotFound, codes.NotFound, codes.NotFound}
	others := map[string]sight{"leju": none, "renshe": none, "yunying": none, "zhujian": {codes.NotFound, codes.OK, codes.NotFound}}
	views(others)
	views(map[string]sight{"bank": {codes.OK, codes.NotFound, codes.NotFound}})

	// One holder alone, as often as it likes and all at once, is one approval.
	a := w.approval("exchange", v)
	atOnce(func(int) { _, _ = w.try("exchange", objectApproval, a) })
	require.EqualValues(t, 1, w.result("bank", query).GetApprovals())
	require.Equal(t, "approved", w.result("bank", query).GetState())
	b := w.approval("shuju", v)
	atOnce(func(i int) {
		if i%2 == 0 {
			_, _ = w.try("shuju", objectApproval, b)
		} else {
			_, _ = w.try("bank", objectQuery, q)
		}
	})
	released := w.until("bank", query, "released")
	answer := w.answer("exchange", v)
	atOnce(func(int) { _, _ = w.try("exchange", objectAnswer, answer) })
	require.Len(t, w.result("bank", query).GetAnswers(), 1)
	views(others)
	hash := w.result("bank", query).GetAnswers()[0]
	for _, party := range []string{"leju", "zhujian", "exchange", "jianguan"} {
		_, err := w.as(party).Get(ctx(), &apiv1.GetRequest{Kind: objectAnswer, Hash: hash})
		require.Equal(t, codes.NotFound, code(err), "%s: an answer", party)
	}
	require.EqualValues(t, 1, statementOf(t, released.GetReceipt()).Budget.After)
	require.Equal(t, query, w.askAtOnce(q), "asked again after its release")
	require.EqualValues(t, 1, w.spentByOneMore(), "charged once")
}

// askAtOnce hands in one query many times with a new signature each: it is one.
func (w *encryptedWorld) askAtOnce(q *plan.Query) [32]byte {
	w.t.Helper()
	var mu sync.Mutex
	hashes := map[[32]byte]int{}
	atOnce(func(int) {
		c := *q
		hash, err := w.try("bank", objectQuery, w.signQuery(&c))
		if err == nil {
			mu.Lock()
			hashes[hash]++
			mu.Unlock()
		}
	})
	require.Len(w.t, hashes, 1)
	for hash, n := range hashes {
		require.Equal(w.t, 8, n)
		return hash
	}
	return [32]byte{}
}

// atOnce runs something eight times at the same time.
func atOnce(work func(i int)) {
	var group sync.WaitGroup
	for i := range 8 {
		group.Add(1)
		go func() { defer group.Done(); work(i) }()
	}
	group.Wait()
}

// Parameters outside the security table enter nowhere: neither in the list of who asks and holds, nor by a call that
// is not a test's.
func TestAttackInsecureParameters(t *testing.T) {
	params, err := encrypted.StandardParameters()
	require.NoError(t, err)
	require.Len(t, params, 2)
	for _, p := range params {
		require.False(t, p.Insecure(), p.Name())
	}
	weak, err := he.InsecureTestParameters(6, false)
	require.NoError(t, err)
	require.True(t, weak.Insecure())
	require.Nil(t, params[weak.ID()])
	require.NoError(t, filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		require.NotContains(t, string(b), "he."+"InsecureTestParameters(", path)
		return err
	}))
	w := newEncryptedWorld(t)
	p := w.proposal("housing")
	p.Terms.Parameters = weak.ID()
	p.Signature = w.who.sign(t, "shuju", p.Terms)
	_, err = w.try("shuju", objectProposal, p)
	require.Equal(t, codes.PermissionDenied, code(err))
}

// A provider fills no disk with versions that nobody registered, and cannot break a version that has its manifest by
// adding to it; whoever provides nothing has no manifest read.
func TestAttackProviderBreaksNothing(t *testing.T) {
	w := newEncryptedWorld(t)
	w.keygen("housing")
	_, err := w.provide("housing", amounts(300, 3))
	require.NoError(t, err)
	e, err := he.NewEncryptor(w.params, w.sets["housing"]["shuju"].Public, rand.Reader)
	require.NoError(t, err)
	put := func(version, lane string, batch uint32) error {
		t.Helper()
		leaf, err := e.Encrypt(nil, he.Header{Key: w.certHash("housing"), Lane: he.LaneID("housing", version, lane), Batch: batch, Rows: 3}, []int64{1, 2, 3}, 10)
		require.NoError(t, err)
		return w.hand(&apiv1.PutLeavesRequest{Dataset: "housing", Version: version, Lane: lane, Batch: batch, Leaf: leaf.Bytes()})
	}
	require.Equal(t, codes.Unavailable, code(put("junk", "amount", 0)), "a version that is not registered")
	lanes, err := w.as("zhujian").Leaves(ctx(), &apiv1.LeavesRequest{Dataset: "housing", Version: "2026-10", Lane: "amount"})
	require.NoError(t, err)
	require.NotEmpty(t, lanes.GetHeld())
	require.Error(t, put("2026-10", "amount", lanes.GetHeld()[1]), "a leaf more than the manifest names")
	require.Error(t, put("2026-10", "other", 0), "a lane that the manifest does not name")

	query := w.askAtOnce(w.query("bank", "mean-housing", plan.Mean, "housing"))
	w.until("bank", query, "computed")
	_, err = w.as("leju").Put(ctx(), &apiv1.PutRequest{Kind: apiv1.ObjectKind_OBJECT_KIND_MANIFEST, Object: make([]byte, 1<<20)})
	require.Equal(t, codes.NotFound, code(err), "not even malformed to one who provides nothing")
}
