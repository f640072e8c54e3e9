package ceremony_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/hetest"
)

func FuzzParseMessage(f *testing.F) {
	net := newNetwork(f, small(f, true), 3, 2)
	net.run()
	for _, m := range net.seen {
		if len(m.Body) < 1<<12 {
			b, err := m.Bytes()
			require.NoError(f, err)
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ceremony.ParseMessage(b)
		if err != nil {
			return
		}
		back, err := m.Bytes()
		require.NoError(t, err)
		require.Equal(t, b, back)
	})
}

func FuzzParseProposal(f *testing.F) {
	for _, mul := range []bool{false, true} {
		b, err := proposal(small(f, mul), 5, 3).Bytes()
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ceremony.ParseProposal(b)
		if err != nil {
			require.ErrorIs(t, err, ceremony.ErrMalformed)
			return
		}
		back, err := p.Bytes()
		require.NoError(t, err)
		require.Equal(t, b, back)
	})
}

func FuzzParseKeyCert(f *testing.F) {
	for _, mul := range []bool{false, true} {
		cert, _, _ := hetest.Keys(f, small(f, mul), 3, 2)
		b, err := cert.Bytes()
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ceremony.ParseKeyCert(b)
		if err != nil {
			require.ErrorIs(t, err, ceremony.ErrMalformed)
			return
		}
		back, err := c.Bytes()
		require.NoError(t, err)
		require.Equal(t, b, back)
	})
}

// FuzzSignedBody hands a machine bodies that a cheating holder signed.
func FuzzSignedBody(f *testing.F) {
	p := small(f, true)
	net := newNetwork(f, p, 3, 2)
	net.run()
	for _, m := range net.seen {
		if m.From == 1 && len(m.Body) < 1<<12 {
			f.Add(uint8(m.Round), m.Body)
		}
	}
	for kind := range byte(6) {
		f.Add(uint8(0), []byte{1, 2, kind, 1, 0, 0, 0, 0})
	}
	state, err := net.machines[2].State()
	require.NoError(f, err)
	early, err := ceremony.New(config(p, net.proposal, 3))
	require.NoError(f, err)
	fresh, err := early.State()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, round uint8, body []byte) {
		for h, s := range map[int]ceremony.State{2: state, 3: fresh} {
			m, err := ceremony.Resume(config(p, net.proposal, h), s)
			require.NoError(t, err)
			id, err := net.proposal.ID()
			require.NoError(t, err)
			msg := ceremony.Message{Ceremony: id, Round: ceremony.Round(round), From: 1}
			_, _, err = m.Step([]ceremony.Message{resign(t, net, msg, body)})
			var abort *ceremony.AbortError
			if err != nil {
				require.ErrorAs(t, err, &abort)
			}
		}
	})
}

func FuzzResume(f *testing.F) {
	p := small(f, false)
	q := proposal(p, 3, 2)
	m, err := ceremony.New(config(p, q, 1))
	require.NoError(f, err)
	state, err := m.State()
	require.NoError(f, err)
	f.Add([]byte(state))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ceremony.Resume(config(p, q, 1), b)
		if err != nil {
			return
		}
		_, err = m.State()
		require.NoError(t, err)
	})
}

func TestCertificateIsVerified(t *testing.T) {
	p := small(t, false)
	trust := func(c *ceremony.KeyCert) ceremony.Trust {
		return ceremony.Trust{
			Parameters: []*he.Parameters{small(t, true), p}, Holders: c.Holders, Authority: "authority",
			Now: time.Unix(1<<31, 0), MinThreshold: 2,
		}
	}
	good, _, _ := hetest.Keys(t, p, 3, 2)
	require.NoError(t, ceremony.VerifyCert(good, trust(good), hetest.Verify))
	require.Equal(t, 2, good.Point("holder-2"))
	require.Zero(t, good.Point("nobody"))
	for name, spoil := range map[string]func(c *ceremony.KeyCert, tr *ceremony.Trust){
		"a signature":     func(c *ceremony.KeyCert, _ *ceremony.Trust) { c.Signatures[2] = c.Signatures[1] },
		"no signature":    func(c *ceremony.KeyCert, _ *ceremony.Trust) { c.Signatures = c.Signatures[:2] },
		"public key":      func(c *ceremony.KeyCert, _ *ceremony.Trust) { c.PublicKey[0] ^= 1 },
		"relinearisation": func(c *ceremony.KeyCert, _ *ceremony.Trust) { c.RelinKey[0] ^= 1 },
		"prime":           func(c *ceremony.KeyCert, _ *ceremony.Trust) { c.Q = []uint64{c.Q[0], c.Q[1] + 2} },
		"parameters":      func(_ *ceremony.KeyCert, tr *ceremony.Trust) { tr.Parameters = tr.Parameters[:1] },
		"cap":             func(c *ceremony.KeyCert, _ *ceremony.Trust) { c.Cap++ },
		"dataset":         func(c *ceremony.KeyCert, _ *ceremony.Trust) { c.Datasets = []string{"other"} },
		"expired":         func(c *ceremony.KeyCert, tr *ceremony.Trust) { tr.Now = time.Unix(c.Expiry, 0) },
		"no clock":        func(_ *ceremony.KeyCert, tr *ceremony.Trust) { tr.Now = time.Time{} },
		"holder's key": func(_ *ceremony.KeyCert, tr *ceremony.Trust) {
			tr.Holders = append([]ceremony.Party(nil), tr.Holders...)
			tr.Holders[1].Agent[5] ^= 1
		},
		"unknown holder": func(_ *ceremony.KeyCert, tr *ceremony.Trust) { tr.Holders = tr.Holders[:2] },
		"authority":      func(_ *ceremony.KeyCert, tr *ceremony.Trust) { tr.Authority = "other" },
		"threshold":      func(_ *ceremony.KeyCert, tr *ceremony.Trust) { tr.MinThreshold = 3 },
	} {
		t.Run(name, func(t *testing.T) {
			b, err := good.Bytes()
			require.NoError(t, err)
			c, err := ceremony.ParseKeyCert(b)
			require.NoError(t, err)
			tr := trust(c)
			spoil(c, &tr)
			require.ErrorIs(t, ceremony.VerifyCert(c, tr, hetest.Verify), ceremony.ErrCert)
		})
	}
	require.ErrorIs(t, ceremony.VerifyCert(nil, trust(good), hetest.Verify), ceremony.ErrCert)
	b, err := good.Bytes()
	require.NoError(t, err)
	for n := range b {
		_, err := ceremony.ParseKeyCert(b[:n])
		require.ErrorIs(t, err, ceremony.ErrMalformed)
	}
	q := proposal(p, 3, 2)
	msg, err := q.SigningBytes()
	require.NoError(t, err)
	sig, err := hetest.Sign("authority", msg)
	require.NoError(t, err)
	require.NoError(t, ceremony.VerifyProposal(q, sig, hetest.Verify))
	require.ErrorIs(t, ceremony.VerifyProposal(proposal(p, 4, 2), sig, hetest.Verify), ceremony.ErrProposal)
}
