package ceremony_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	mrand "math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

// resign makes a sender's message again with another body, as the sender can.
func resign(t testing.TB, net *network, m ceremony.Message, body []byte) ceremony.Message {
	m.Body = body
	sig, err := signer(net.proposal.Holders[m.From-1].Name).Sign(m.SigningBytes())
	require.NoError(t, err)
	m.Sig = sig
	return m
}

func flipped(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

// named requires that all honest holders name exactly this party, with proof.
func (n *network) named(rule ceremony.Rule, cheater int) {
	n.t.Helper()
	for h := 1; h <= len(n.proposal.Holders); h++ {
		if h == cheater {
			continue
		}
		require.Nil(n.t, n.results[h])
		require.NotNil(n.t, n.aborts[h], "holder %d", h)
		require.Equal(n.t, []string{fmt.Sprintf("holder-%d", cheater)}, n.aborts[h].Parties, "by holder %d", h)
		require.True(n.t, n.aborts[h].Proven, "by holder %d", h)
		require.Equal(n.t, rule, n.aborts[h].Rule)
	}
}

// TestCheatingHolderIsNamed: one holder signs something else than its machine
// says, in each round, and tells all the same.
func TestCheatingHolderIsNamed(t *testing.T) {
	echo := 32 * 3
	for _, c := range []struct {
		name  string
		round ceremony.Round
		mul   bool
		body  func(b []byte) []byte
		rule  ceremony.Rule
	}{
		{"short commitment", ceremony.RoundCommit, false, func(b []byte) []byte { return b[1:] }, ceremony.RuleBody},
		{"other nonce commitment", ceremony.RoundCommit, false, func(b []byte) []byte { return flipped(b, 0) }, ceremony.RuleEquivocation},
		{"other nonce", ceremony.RoundNonce, false, func(b []byte) []byte { return flipped(b, echo) }, ceremony.RuleCommitment},
		{"long nonce", ceremony.RoundNonce, false, func(b []byte) []byte { return append(bytes.Clone(b), 0) }, ceremony.RuleBody},
		{"no body", ceremony.RoundNonce, false, func([]byte) []byte { return nil }, ceremony.RuleBody},
		{"other contribution hash", ceremony.RoundShadow, false, func(b []byte) []byte { return flipped(b, echo) }, ceremony.RuleComponent},
		{"other contribution hash, second", ceremony.RoundShadow, true, func(b []byte) []byte { return flipped(b, echo+40) }, ceremony.RuleComponent},
		{"other contribution after seeing all", ceremony.RoundReveal, false, func(b []byte) []byte { return flipped(b, echo+100) }, ceremony.RuleCommitment},
		{"residue not below its prime", ceremony.RoundReveal, false, func(b []byte) []byte {
			return append(bytes.Clone(b[:echo]), bytes.Repeat([]byte{255}, len(b)-echo)...)
		}, ceremony.RuleCommitment},
		{"other second hash", ceremony.RoundRelinShadow, true, func(b []byte) []byte { return flipped(b, echo+1) }, ceremony.RuleComponent},
		{"other second contribution", ceremony.RoundRelinReveal, true, func(b []byte) []byte { return flipped(b, len(b)-7) }, ceremony.RuleCommitment},
		{"other answer in the trial", ceremony.RoundTrial, false, func(b []byte) []byte { return flipped(b, len(b)-14) }, ceremony.RuleComponent},
		{"short answer in the trial", ceremony.RoundTrial, false, func(b []byte) []byte { return b[:len(b)-1] }, ceremony.RuleBody},
		{"other certificate", ceremony.RoundSign, false, func(b []byte) []byte { return flipped(b, echo) }, ceremony.RuleCertificate},
	} {
		t.Run(c.name, func(t *testing.T) {
			// the first holder reveals two components, so that it has something to lie about
			const cheater = 1
			net := newNetwork(t, small(t, c.mul), 3, 2)
			net.tamper = func(m ceremony.Message, _ int) []ceremony.Message {
				if m.From == cheater && m.Round == c.round && m.To == ceremony.ToAll {
					m = resign(t, net, m, c.body(m.Body))
				}
				if m.From == cheater && m.Round == ceremony.RoundAbort {
					return nil // its own machine is not in the plot
				}
				return []ceremony.Message{m}
			}
			net.run()
			net.named(c.rule, cheater)
		})
	}
}

func TestHolderWhoTellsTwoThingsIsNamed(t *testing.T) {
	for _, round := range []ceremony.Round{ceremony.RoundCommit, ceremony.RoundNonce, ceremony.RoundShadow, ceremony.RoundTrial} {
		net := newNetwork(t, small(t, false), 3, 2)
		net.tamper = func(m ceremony.Message, reader int) []ceremony.Message {
			if m.From == 2 && m.Round == round && m.To == ceremony.ToAll && reader == 3 {
				// not in the commitments used at once, else these are blamed first
				m = resign(t, net, m, flipped(m.Body, len(m.Body)-1))
			}
			return []ceremony.Message{m}
		}
		net.run()
		for _, h := range []int{1, 3} {
			require.Equal(t, []string{"holder-2"}, net.aborts[h].Parties, "round %d", round)
			require.True(t, net.aborts[h].Proven)
		}
	}
}

// A rogue last mover reads everybody's contributions and then chooses its own so
// that the sum is a key of its liking: the hash came first.
func TestRogueLastMoverIsRefused(t *testing.T) {
	net := newNetwork(t, small(t, false), 3, 3) // each component known to one holder alone
	var others [][]byte
	net.tamper = func(m ceremony.Message, _ int) []ceremony.Message {
		if m.Round == ceremony.RoundReveal && m.From != 3 {
			others = append(others, m.Body)
		}
		if m.Round == ceremony.RoundReveal && m.From == 3 {
			require.NotEmpty(t, others, "the last mover has seen the others")
			body := bytes.Clone(m.Body)
			copy(body[96:], others[0][96:])
			m = resign(t, net, m, body)
		}
		return []ceremony.Message{m}
	}
	net.run()
	net.named(ceremony.RuleCommitment, 3)
}

func TestSealedShares(t *testing.T) {
	t.Run("another payload than committed", func(t *testing.T) {
		net := newNetwork(t, small(t, false), 3, 2)
		net.tamper = func(m ceremony.Message, reader int) []ceremony.Message {
			if m.From == 2 && m.To == 3 && reader == 3 {
				m = resign(t, net, m, flipped(m.Body, 40))
			}
			return []ceremony.Message{m}
		}
		net.run()
		net.named(ceremony.RuleSealed, 2)
	})
	t.Run("garbage that was committed", func(t *testing.T) {
		p := small(t, false)
		net := newNetwork(t, p, 3, 2)
		cfg := config(p, net.proposal, 2)
		cfg.Seal = func(to string, plain []byte) ([]byte, error) {
			if to == "holder-3" {
				plain = bytes.Repeat([]byte{1}, len(plain))
			}
			return seal(to, plain)
		}
		var err error
		net.machines[2], err = ceremony.New(cfg)
		require.NoError(t, err)
		net.run()
		require.Equal(t, []string{"holder-2"}, net.aborts[3].Parties)
		require.True(t, net.aborts[3].Proven, "its reader knows")
		require.Equal(t, []string{"holder-2", "holder-3"}, net.aborts[1].Parties, "others have word against word")
		require.False(t, net.aborts[1].Proven)
	})
}

func TestFalseAccusationNamesTheAccuserToo(t *testing.T) {
	for _, late := range []bool{false, true} {
		net := newNetwork(t, small(t, false), 3, 2)
		net.tamper = func(m ceremony.Message, _ int) []ceremony.Message {
			trigger := ceremony.RoundShadow
			if late {
				trigger = ceremony.RoundSign
			}
			if m.From != 3 || m.Round != trigger {
				return []ceremony.Message{m}
			}
			accusation := m
			accusation.Round, accusation.Attached = ceremony.RoundAbort, nil
			return []ceremony.Message{m, resign(t, net, accusation, []byte{byte(ceremony.RuleSealed), 1, 0})}
		}
		net.run()
		if late {
			net.agreed(1, 2) // signed is signed
			continue
		}
		require.Equal(t, []string{"holder-1", "holder-3"}, net.aborts[2].Parties)
		require.False(t, net.aborts[2].Proven)
	}
}

// The relay: shuffled, repeated, delayed, replayed, and holders restarted from
// their state at any moment. All end with one certificate.
func TestAnyScheduleEndsWithOneCertificate(t *testing.T) {
	for seed := range uint64(25) {
		r := mrand.New(mrand.NewPCG(seed, 9))
		net := newNetwork(t, small(t, seed%5 == 0), 3, 2)
		net.restart = func() bool { return r.IntN(3) == 0 }
		net.tamper = func(m ceremony.Message, _ int) []ceremony.Message {
			list := []ceremony.Message{m}
			for r.IntN(4) == 0 {
				list = append(list, m)
			}
			return list
		}
		for h := 1; h <= 3; h++ {
			net.post(net.machines[h].Sent())
		}
		net.settle(r)
		net.agreed(1, 2, 3)
	}
}

// A relay that alters bytes delays, and shows; nobody is blamed for it.
func TestAlteringRelayIsDetectedAndBlamesNobody(t *testing.T) {
	altered := func(t *testing.T, repaired bool) *network {
		r := mrand.New(mrand.NewPCG(5, 5))
		net := newNetwork(t, small(t, false), 3, 2)
		net.tamper = func(m ceremony.Message, reader int) []ceremony.Message {
			b, err := m.Bytes()
			require.NoError(t, err)
			var list []ceremony.Message
			for range 20 {
				bad := bytes.Clone(b)
				switch r.IntN(3) {
				case 0:
					bad[r.IntN(len(bad))] ^= byte(1 + r.IntN(255))
				case 1:
					bad = bad[:r.IntN(len(bad))]
				case 2: // somebody else's place
					other := m
					other.From, other.To, other.Round = 1+r.IntN(3), r.IntN(4), ceremony.Round(r.IntN(9))
					if other.From != m.From {
						list = append(list, other)
					}
					continue
				}
				if back, err := ceremony.ParseMessage(bad); err == nil && !bytes.Equal(bad, b) {
					list = append(list, *back)
				}
			}
			if repaired || reader != 2 || m.From != 1 {
				list = append(list, m)
			}
			return list
		}
		net.run()
		require.Empty(t, net.aborts)
		require.Positive(t, net.rejected)
		return net
	}
	altered(t, true).agreed(1, 2, 3)
	net := altered(t, false)
	require.Empty(t, net.results)
	_, missing := net.machines[2].Waiting()
	require.Equal(t, []string{"holder-1"}, missing)
}

// What the relay carries holds no seed share: they are in sealed payloads only.
func TestRelayReadsNoSeedShare(t *testing.T) {
	p := small(t, true)
	net := newNetwork(t, p, 3, 2)
	var plains [][]byte
	for h := 1; h <= 3; h++ {
		cfg := config(p, net.proposal, h)
		cfg.Seal = func(to string, plain []byte) ([]byte, error) {
			plains = append(plains, bytes.Clone(plain))
			return seal(to, plain)
		}
		var err error
		net.machines[h], err = ceremony.New(cfg)
		require.NoError(t, err)
	}
	net.run()
	net.agreed(1, 2, 3)
	require.Len(t, plains, 6)
	const head = len("yumen ceremony seed shares 1") + 32 + 2
	private := 0
	for _, m := range net.seen {
		b, err := m.Bytes()
		require.NoError(t, err)
		for _, plain := range plains {
			for at := head; at < len(plain); at += 32 {
				require.False(t, bytes.Contains(b, plain[at:at+32]))
			}
		}
		if m.To != ceremony.ToAll {
			private++
			require.True(t, bytes.HasPrefix(m.Body, []byte(fmt.Sprintf("sealed to holder-%d\n", m.To))))
		}
	}
	require.Equal(t, 6, private)
}

// A holder set back to any earlier copy of its state says the same again.
func TestRolledBackHolderSaysTheSame(t *testing.T) {
	p := small(t, false)
	net := newNetwork(t, p, 3, 2)
	type step struct {
		state ceremony.State
		inbox []ceremony.Message
		out   []ceremony.Message
	}
	var steps []step
	for h := 1; h <= 3; h++ {
		net.post(net.machines[h].Sent())
	}
	for len(net.queue[1])+len(net.queue[2])+len(net.queue[3]) > 0 {
		for h := 1; h <= 3; h++ {
			inbox := net.queue[h]
			net.queue[h] = nil
			if h == 2 && len(inbox) > 0 {
				state, err := net.machines[2].State()
				require.NoError(t, err)
				before := len(net.seen)
				net.step(2, inbox)
				steps = append(steps, step{state, inbox, net.seen[before:]})
				continue
			}
			net.step(h, inbox)
		}
	}
	net.agreed(1, 2, 3)
	require.GreaterOrEqual(t, len(steps), 4)
	for _, s := range steps {
		old, err := ceremony.Resume(config(p, net.proposal, 2), s.state)
		require.NoError(t, err)
		out, _, err := old.Step(s.inbox)
		require.NoError(t, err)
		require.Len(t, out, len(s.out))
		for i := range out {
			require.Equal(t, s.out[i].SigningBytes(), out[i].SigningBytes(), "one slot, one body")
			require.Equal(t, s.out[i].Body, out[i].Body)
		}
		// its own later messages come back from the mailbox, then all the rest
		for range 2 {
			out, _, err = old.Step(net.seen)
			require.NoError(t, err)
			for _, m := range out {
				for _, was := range net.seen {
					if was.From == 2 && was.Round == m.Round && was.To == m.To {
						require.Equal(t, was.Body, m.Body)
					}
				}
			}
		}
	}
}

// A holder that lost its state and drew new secrets is found out by all.
func TestHolderThatDrewTwiceIsNamed(t *testing.T) {
	p := small(t, false)
	net := newNetwork(t, p, 3, 2)
	again, err := ceremony.New(config(p, net.proposal, 2))
	require.NoError(t, err)
	for h := 1; h <= 3; h++ {
		net.post(net.machines[h].Sent())
	}
	net.post(again.Sent())
	net.settle(nil)
	net.named(ceremony.RuleEquivocation, 2)
	_, _, err = net.machines[2].Step(again.Sent())
	var abort *ceremony.AbortError
	require.ErrorAs(t, err, &abort, "and by itself")
	require.Equal(t, []string{"holder-2"}, abort.Parties)
}

// A holder that ended a ceremony and is then set back does not go on with it once
// it reads its own abort; and its log does not grow by repetitions.
func TestRolledBackHolderStaysOut(t *testing.T) {
	p := small(t, false)
	net := newNetwork(t, p, 3, 2)
	first, err := net.machines[2].State()
	require.NoError(t, err)
	net.tamper = func(m ceremony.Message, _ int) []ceremony.Message {
		if m.From == 1 && m.Round == ceremony.RoundShadow {
			m = resign(t, net, m, flipped(m.Body, 100))
		}
		return []ceremony.Message{m}
	}
	net.run()
	require.NotNil(t, net.aborts[2])
	old, err := ceremony.Resume(config(p, net.proposal, 2), first)
	require.NoError(t, err)
	var own []ceremony.Message
	for _, m := range net.seen {
		if m.From == 2 {
			own = append(own, m)
		}
	}
	_, _, err = old.Step(own)
	var abort *ceremony.AbortError
	require.ErrorAs(t, err, &abort)
	state, err := old.State()
	require.NoError(t, err)
	_, _, err = old.Step(own)
	require.ErrorAs(t, err, &abort)
	again, err := old.State()
	require.NoError(t, err)
	require.Equal(t, state, again)
	back, err := ceremony.Resume(config(p, net.proposal, 2), again)
	require.NoError(t, err)
	out, done, err := back.Step(net.seen[:1])
	require.Empty(t, out)
	require.Nil(t, done)
	require.ErrorAs(t, err, &abort)
	require.Equal(t, old.Sent(), back.Sent())
}

// One cheater, any round, any change, told to all or to some, any schedule:
// honest holders end with one certificate, or name the cheater, or wait for it.
func TestHonestHoldersAgreeOrNameTheCheater(t *testing.T) {
	add, mul := small(t, false), small(t, true)
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(3, 4).Draw(rt, "n")
		th := rapid.IntRange(2, n).Draw(rt, "t")
		p := add
		if rapid.IntRange(0, 4).Draw(rt, "mul") == 0 {
			p = mul
		}
		cheater := rapid.IntRange(1, n).Draw(rt, "cheater")
		round := ceremony.Round(rapid.IntRange(1, 8).Draw(rt, "round"))
		some := rapid.IntRange(0, 1<<n-1).Draw(rt, "readers")
		private := rapid.Bool().Draw(rt, "private")
		at := rapid.IntRange(0, 1<<20).Draw(rt, "at")
		how := rapid.IntRange(0, 2).Draw(rt, "how")
		r := mrand.New(mrand.NewPCG(rapid.Uint64().Draw(rt, "schedule"), 1))
		net := newNetwork(t, p, n, th)
		net.tamper = func(m ceremony.Message, reader int) []ceremony.Message {
			if m.From != cheater || m.Round != round || (m.To != ceremony.ToAll) != private || some>>(reader-1)&1 == 0 {
				return []ceremony.Message{m}
			}
			var bad ceremony.Message
			switch how {
			case 0:
				bad = resign(t, net, m, flipped(m.Body, at%len(m.Body)))
			case 1:
				bad = resign(t, net, m, m.Body[:at%len(m.Body)])
			default:
				return nil // says nothing
			}
			return []ceremony.Message{bad}
		}
		for h := 1; h <= n; h++ {
			net.post(net.machines[h].Sent())
		}
		net.settle(r)
		certs := map[[32]byte]bool{}
		name := fmt.Sprintf("holder-%d", cheater)
		stuck, waited := false, false
		for h := 1; h <= n; h++ {
			if h == cheater {
				continue
			}
			abort, done := net.aborts[h], net.results[h]
			switch {
			case done != nil:
				hash, err := done.Cert.Hash()
				require.NoError(t, err)
				certs[hash] = true
			case abort != nil:
				require.Contains(t, abort.Parties, name)
				if abort.Proven {
					require.Equal(t, []string{name}, abort.Parties)
				}
			default:
				_, missing := net.machines[h].Waiting()
				stuck, waited = true, waited || slices.Contains(missing, name)
			}
		}
		require.Equal(t, stuck, waited, "someone stuck waits for the cheater")
		require.LessOrEqual(t, len(certs), 1)
	})
}

func TestMachineRefusesWhatIsNotItsOwn(t *testing.T) {
	p := small(t, false)
	q := proposal(p, 3, 2)
	cfg := config(p, q, 1)
	cfg.Self = "nobody"
	_, err := ceremony.New(cfg)
	require.ErrorIs(t, err, ceremony.ErrProposal)
	_, err = ceremony.New(config(small(t, true), q, 1))
	require.ErrorIs(t, err, ceremony.ErrProposal)
	cfg = config(p, q, 1)
	cfg.Rand = bytes.NewReader(nil)
	_, err = ceremony.New(cfg)
	require.Error(t, err)
	cfg.Rand = rand.Reader
	m, err := ceremony.New(cfg)
	require.NoError(t, err)
	state, err := m.State()
	require.NoError(t, err)
	for n := range state {
		_, err := ceremony.Resume(cfg, state[:n])
		require.Error(t, err)
	}
	_, err = ceremony.Resume(config(p, q, 2), state)
	require.ErrorIs(t, err, ceremony.ErrState)
	require.Equal(t, "[key]", fmt.Sprintf("%v", state))
	require.Equal(t, "[key]", fmt.Sprintf("%#v", state))
}

// What hides the errors of openings holds for as many scalars as the cap allows at
// most: an authority, or whoever has its key, cannot have more agreed upon.
func TestProposalOfAGreatCapIsRefused(t *testing.T) {
	params, err := he.InsecureTestParameters(6, false)
	require.NoError(t, err)
	p := proposal(params, 3, 2)
	p.Cap = threshold.DefaultCap
	_, err = p.Bytes()
	require.NoError(t, err)
	p.Cap++
	_, err = p.Bytes()
	require.ErrorIs(t, err, ceremony.ErrProposal)
}
