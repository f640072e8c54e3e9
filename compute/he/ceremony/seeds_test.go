package ceremony_test

import (
	"fmt"
	mrand "math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

// seedsOf runs a ceremony of four holders, any two of whom open, with the given
// randomness, and gives the seeds of all components.
func seedsOf(t *testing.T, random [4]byte) map[int]threshold.Seed {
	t.Helper()
	p := small(t, false)
	net := newNetwork(t, p, 4, 2)
	for h := 1; h <= 4; h++ {
		cfg := config(p, net.proposal, h)
		cfg.Rand = mrand.NewChaCha8([32]byte{byte(h), random[h-1]})
		var err error
		net.machines[h], err = ceremony.New(cfg)
		require.NoError(t, err)
	}
	net.run()
	net.agreed(1, 2, 3, 4)
	seeds := map[int]threshold.Seed{}
	for h := 1; h <= 4; h++ {
		share := net.results[h].Share
		known := share.Sharing().Of(h)
		b := share.Bytes()
		b = b[len(b)-32*len(known):]
		for i, c := range known {
			seed := threshold.Seed(b[32*i : 32*i+32])
			if before, ok := seeds[c]; ok {
				require.Equal(t, before, seed)
			}
			seeds[c] = seed
		}
	}
	return seeds
}

// A component's seed depends on the randomness of every member, and on that of
// nobody else: one honest member makes it unpredictable.
func TestSeedsDependOnEveryMember(t *testing.T) {
	s, err := threshold.NewSharing(4, 2)
	require.NoError(t, err)
	before := seedsOf(t, [4]byte{})
	for h := 1; h <= 4; h++ {
		var random [4]byte
		random[h-1] = 1
		for c, seed := range seedsOf(t, random) {
			require.Equal(t, s.Knows(h, c), seed != before[c], "component %d, holder %d", c, h)
		}
	}
}

// What is sealed is bound to the ceremony, to both its ends and to the committed
// shares: another plain text, rightly sealed and committed, ends the ceremony.
func TestSealedPayloadIsBound(t *testing.T) {
	const head = len("yumen ceremony seed shares 1")
	for name, at := range map[string]int{"prefix": 0, "ceremony": head, "sender": head + 32, "reader": head + 33, "share": head + 34} {
		t.Run(name, func(t *testing.T) {
			p := small(t, false)
			net := newNetwork(t, p, 4, 2)
			cfg := config(p, net.proposal, 1)
			cfg.Seal = func(to string, plain []byte) ([]byte, error) {
				if to == "holder-3" {
					plain = flipped(plain, at)
				}
				return seal(to, plain)
			}
			var err error
			net.machines[1], err = ceremony.New(cfg)
			require.NoError(t, err)
			net.run()
			for h := 1; h <= 4; h++ {
				require.Nil(t, net.results[h])
			}
			require.NotNil(t, net.aborts[3])
			require.Equal(t, ceremony.RuleSealed, net.aborts[3].Rule)
			require.Contains(t, net.aborts[3].Parties, "holder-1")
		})
	}
}

// A relay that alters a signature of the certificate, which is attached and not
// signed over, keeps nobody from ending with valid ones, and makes nobody end
// without.
func TestAlteredCertificateSignatureIsAwaitedAgain(t *testing.T) {
	p := small(t, false)
	net := newNetwork(t, p, 3, 2)
	var held []ceremony.Message
	net.tamper = func(m ceremony.Message, reader int) []ceremony.Message {
		if m.Round != ceremony.RoundSign || reader != 1 || m.From != 2 {
			return []ceremony.Message{m}
		}
		held = append(held, m)
		bad := m
		bad.Attached = append([][]byte(nil), m.Attached...)
		last := len(bad.Attached) - 1
		bad.Attached[last] = flipped(bad.Attached[last], 20)
		return []ceremony.Message{bad}
	}
	net.run()
	require.Nil(t, net.results[1])
	require.Empty(t, net.aborts)
	require.Len(t, held, 1)
	net.step(1, held)
	cert := net.agreed(1, 2, 3)
	msg, err := cert.SigningBytes()
	require.NoError(t, err)
	for h := 1; h <= 3; h++ {
		for i, sig := range net.results[h].Cert.Signatures {
			require.True(t, verify(fmt.Sprintf("holder-%d", i+1), msg, sig))
		}
	}
}

// The common random string follows from every holder's nonce.
func TestCommonStringDependsOnEveryHolder(t *testing.T) {
	p := small(t, false)
	crs := func(odd int) [32]byte {
		net := newNetwork(t, p, 3, 2)
		for h := 1; h <= 3; h++ {
			cfg := config(p, net.proposal, h)
			cfg.Rand = mrand.NewChaCha8([32]byte{byte(h)})
			if h == odd {
				cfg.Rand = mrand.NewChaCha8([32]byte{9})
			}
			var err error
			net.machines[h], err = ceremony.New(cfg)
			require.NoError(t, err)
		}
		net.run()
		return net.agreed(1, 2, 3).CRS
	}
	seen := map[[32]byte]bool{}
	for odd := range 4 {
		seen[crs(odd)] = true
	}
	require.Len(t, seen, 4)
}
