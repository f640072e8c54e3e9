package ceremony_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/hetest"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

// What the same holders signed in another ceremony is not taken in this one.
func TestMessagesOfAnotherCeremonyAreRefused(t *testing.T) {
	p := small(t, false)
	other := proposal(p, 3, 2)
	other.Nonce[0]++
	before, err := ceremony.New(config(p, other, 2))
	require.NoError(t, err)
	m, err := ceremony.New(config(p, proposal(p, 3, 2), 1))
	require.NoError(t, err)
	_, _, err = m.Step(before.Sent())
	require.NoError(t, err)
	require.Equal(t, []ceremony.Rejection{{Index: 0, Reason: "other ceremony"}}, m.Rejected())
	renamed := before.Sent()[0]
	q := proposal(p, 3, 2)
	renamed.Ceremony, err = q.ID()
	require.NoError(t, err)
	_, _, err = m.Step([]ceremony.Message{renamed})
	require.NoError(t, err)
	require.Equal(t, "signature", m.Rejected()[0].Reason)
}

// The place of a message is signed: what was sealed to one cannot be handed to
// another, nor moved to another round or sender.
func TestRedirectedMessagesAreRefused(t *testing.T) {
	p := small(t, false)
	net := newNetwork(t, p, 3, 2)
	net.run()
	net.agreed(1, 2, 3)
	fresh := func() *ceremony.Machine {
		m, err := ceremony.New(config(p, net.proposal, 3))
		require.NoError(t, err)
		return m
	}
	moved := 0
	for _, in := range net.seen {
		if in.From == 3 {
			continue
		}
		for _, change := range []func(m *ceremony.Message){
			func(m *ceremony.Message) { m.Round = m.Round%8 + 1 },
			func(m *ceremony.Message) { m.From = 3 - m.From },
			func(m *ceremony.Message) { m.To = 3 - m.To },
		} {
			out := in
			change(&out)
			if out.To != ceremony.ToAll && (out.To != 3 || out.Round != ceremony.RoundNonce) {
				continue
			}
			if out.Round == ceremony.RoundRelinShadow || out.Round == ceremony.RoundRelinReveal {
				continue
			}
			m := fresh()
			_, _, err := m.Step([]ceremony.Message{out})
			require.NoError(t, err)
			require.Len(t, m.Rejected(), 1)
			require.Equal(t, "signature", m.Rejected()[0].Reason)
			moved++
		}
	}
	require.Greater(t, moved, 10)
	// sealed to 2 by 1, handed to 3
	for _, in := range net.seen {
		if in.From == 1 && in.To == 2 {
			in.To = 3
			m := fresh()
			_, _, err := m.Step([]ceremony.Message{in})
			require.NoError(t, err)
			require.Equal(t, "signature", m.Rejected()[0].Reason)
		}
	}
}

// Two of two, each alone in its component: a part of the trial that nobody else
// can check is false, and the value does not open.
func TestTrialThatDoesNotOpenEndsTheCeremony(t *testing.T) {
	p := small(t, false)
	net := newNetwork(t, p, 2, 2)
	net.tamper = func(m ceremony.Message, _ int) []ceremony.Message {
		if m.From != 2 || m.Round != ceremony.RoundAbort && m.Round < ceremony.RoundTrial {
			return []ceremony.Message{m}
		}
		if m.Round != ceremony.RoundTrial {
			return nil
		}
		return []ceremony.Message{resign(t, net, m, flipped(m.Body, len(m.Body)-3))}
	}
	net.run()
	require.Nil(t, net.results[1])
	require.NotNil(t, net.aborts[1])
	require.Equal(t, ceremony.RuleTrial, net.aborts[1].Rule)
	require.False(t, net.aborts[1].Proven)
}

// A certificate that all holders signed is still refused if its keys are not of
// its use; and no byte of one can change without its signatures failing.
func TestCertificateIsSignedInEveryByte(t *testing.T) {
	mul, add := small(t, true), small(t, false)
	trust := func(c *ceremony.KeyCert) ceremony.Trust {
		return ceremony.Trust{Parameters: []*he.Parameters{mul, add}, Holders: c.Holders, Authority: "authority", Now: time.Unix(1<<31, 0), MinThreshold: 2}
	}
	again := func(c *ceremony.KeyCert) {
		msg, err := c.SigningBytes()
		require.NoError(t, err)
		for i, h := range c.Holders {
			c.Signatures[i], err = hetest.Sign(h.Name, msg)
			require.NoError(t, err)
		}
	}
	for _, p := range []*he.Parameters{mul, add} {
		c, _, _ := hetest.Keys(t, p, 3, 2)
		require.NoError(t, ceremony.VerifyCert(c, trust(c), hetest.Verify))
		tr := trust(c)
		good, err := c.Bytes()
		require.NoError(t, err)
		for at := range good {
			for _, bit := range []byte{1, 128} {
				bad := bytes.Clone(good)
				bad[at] ^= bit
				back, err := ceremony.ParseKeyCert(bad)
				if err == nil {
					require.ErrorIs(t, ceremony.VerifyCert(back, tr, hetest.Verify), ceremony.ErrCert, "byte %d", at)
				}
			}
		}
		if p.Multiplies() {
			c.RelinKey = [32]byte{}
		} else {
			c.RelinKey = [32]byte{1}
		}
		again(c)
		require.ErrorIs(t, ceremony.VerifyCert(c, tr, hetest.Verify), ceremony.ErrCert)
		c.RelinKey[0] ^= 1
		c.Cap = threshold.DefaultCap + 1
		require.ErrorIs(t, ceremony.VerifyCert(c, tr, hetest.Verify), ceremony.ErrCert)
	}
}
