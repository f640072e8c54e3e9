package ceremony_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	mrand "math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/hetest"
)

type signer string

func (s signer) Sign(msg []byte) ([]byte, error) {
	sig, err := hetest.Sign(string(s), msg)
	// as with SM2, no two signatures are alike
	var salt [8]byte
	_, _ = rand.Read(salt[:])
	return append(salt[:], sig...), err
}

func verify(party string, msg, sig []byte) bool {
	return len(sig) > 8 && hetest.Verify(party, msg, sig[8:])
}

// seal stands for an envelope: randomised, readable by its addressee alone, and
// any change shows.
func seal(to string, plain []byte) ([]byte, error) {
	var key [16]byte
	_, _ = rand.Read(key[:])
	out := append([]byte("sealed to "+to+"\n"), key[:]...)
	body := bytes.Clone(plain)
	for i := range body {
		body[i] ^= key[i%16] ^ 0x5a
	}
	out = append(out, body...)
	tag, err := hetest.Sign("envelope", out)
	return append(out, tag...), err
}

func opener(self string) func([]byte) ([]byte, error) {
	return func(sealed []byte) ([]byte, error) {
		head := []byte("sealed to " + self + "\n")
		if len(sealed) < len(head)+48 || !bytes.HasPrefix(sealed, head) {
			return nil, errors.New("not for me")
		}
		body, tag := sealed[:len(sealed)-32], sealed[len(sealed)-32:]
		if !hetest.Verify("envelope", body, tag) {
			return nil, errors.New("altered")
		}
		key, plain := body[len(head):len(head)+16], bytes.Clone(body[len(head)+16:])
		for i := range plain {
			plain[i] ^= key[i%16] ^ 0x5a
		}
		return plain, nil
	}
}

func proposal(p *he.Parameters, n, t int) *ceremony.Proposal {
	q := &ceremony.Proposal{
		Parameters: p.ID(), Use: ceremony.UseAdd, Datasets: []string{"people"}, Providers: []string{"bureau"},
		Threshold: t, Epoch: 1, Expiry: 4102444800, Cap: 1 << 16, Authority: "authority", Nonce: [32]byte{7},
	}
	if p.Multiplies() {
		q.Use, q.Datasets, q.Providers = ceremony.UseMul, []string{"incomes", "people"}, []string{"tax", "bureau"}
	}
	for h := 1; h <= n; h++ {
		q.Holders = append(q.Holders, ceremony.Party{
			Name: fmt.Sprintf("holder-%d", h), Agent: [32]byte{1, byte(h)}, Sealing: [32]byte{2, byte(h)},
		})
	}
	return q
}

func config(p *he.Parameters, q *ceremony.Proposal, self int) ceremony.Config {
	name := q.Holders[self-1].Name
	return ceremony.Config{
		Params: p, Proposal: q, Self: name, Signer: signer(name), Verify: verify,
		Seal: seal, Open: opener(name), Rand: rand.Reader,
	}
}

// network is holders and the relay between them.
type network struct {
	t        testing.TB
	params   *he.Parameters
	proposal *ceremony.Proposal
	machines map[int]*ceremony.Machine
	results  map[int]*ceremony.Result
	aborts   map[int]*ceremony.AbortError
	queue    map[int][]ceremony.Message // undelivered, by reader
	rejected int
	seen     []ceremony.Message // all that the relay carried
	// tamper may rewrite what a sender says to each reader; nil drops nothing.
	tamper func(m ceremony.Message, reader int) []ceremony.Message
	// restart says whether a machine is rebuilt from its state before a step.
	restart func() bool
}

func newNetwork(t testing.TB, p *he.Parameters, n, th int) *network {
	t.Helper()
	net := &network{
		t: t, params: p, proposal: proposal(p, n, th), machines: map[int]*ceremony.Machine{},
		results: map[int]*ceremony.Result{}, aborts: map[int]*ceremony.AbortError{}, queue: map[int][]ceremony.Message{},
	}
	for h := 1; h <= n; h++ {
		m, err := ceremony.New(config(p, net.proposal, h))
		require.NoError(t, err)
		net.machines[h] = m
	}
	return net
}

// wire passes a message through its bytes.
func wire(t testing.TB, m ceremony.Message) ceremony.Message {
	b, err := m.Bytes()
	require.NoError(t, err)
	back, err := ceremony.ParseMessage(b)
	require.NoError(t, err)
	return *back
}

func (n *network) post(list []ceremony.Message) {
	for _, m := range list {
		m = wire(n.t, m)
		n.seen = append(n.seen, m)
		for h := 1; h <= len(n.proposal.Holders); h++ {
			if m.From == h || (m.To != ceremony.ToAll && m.To != h) {
				continue
			}
			if n.tamper == nil {
				n.queue[h] = append(n.queue[h], m)
				continue
			}
			n.queue[h] = append(n.queue[h], n.tamper(m, h)...)
		}
	}
}

// step hands some of a reader's queue to its machine.
func (n *network) step(h int, inbox []ceremony.Message) {
	if n.restart != nil && n.restart() {
		state, err := n.machines[h].State()
		require.NoError(n.t, err)
		n.machines[h], err = ceremony.Resume(config(n.params, n.proposal, h), state)
		require.NoError(n.t, err)
	}
	out, done, err := n.machines[h].Step(inbox)
	n.rejected += len(n.machines[h].Rejected())
	var abort *ceremony.AbortError
	if errors.As(err, &abort) {
		n.aborts[h] = abort
	} else {
		require.NoError(n.t, err)
	}
	if done != nil {
		n.results[h] = done
	}
	n.post(out)
}

// run delivers everything, in rising order of holders.
func (n *network) run() {
	for _, h := range slices.Sorted(maps.Keys(n.machines)) {
		n.post(n.machines[h].Sent())
	}
	n.settle(nil)
}

// settle delivers until nothing is left: in order, or shuffled, in parts and with
// repetitions.
func (n *network) settle(r *mrand.Rand) {
	for {
		var ready []int
		for _, h := range slices.Sorted(maps.Keys(n.queue)) {
			if len(n.queue[h]) > 0 && n.machines[h] != nil {
				ready = append(ready, h)
			}
		}
		if len(ready) == 0 {
			return
		}
		h := ready[0]
		inbox := n.queue[h]
		if r == nil {
			n.queue[h] = nil
			n.step(h, inbox)
			continue
		}
		h = ready[r.IntN(len(ready))]
		q := n.queue[h]
		r.Shuffle(len(q), func(i, j int) { q[i], q[j] = q[j], q[i] })
		k := 1 + r.IntN(len(q))
		inbox = slices.Clone(q[:k])
		n.queue[h] = q[k:]
		if len(n.seen) > 0 && r.IntN(3) == 0 {
			inbox = append(inbox, n.seen[r.IntN(len(n.seen))]) // replayed
		}
		n.step(h, inbox)
	}
}

// agreed requires that all honest holders ended with one certificate.
func (n *network) agreed(holders ...int) *ceremony.KeyCert {
	n.t.Helper()
	require.Empty(n.t, n.aborts)
	var hash [32]byte
	for i, h := range holders {
		require.NotNil(n.t, n.results[h], "holder %d", h)
		sum, err := n.results[h].Cert.Hash()
		require.NoError(n.t, err)
		if i > 0 {
			require.Equal(n.t, hash, sum)
		}
		hash = sum
	}
	return n.results[holders[0]].Cert
}
