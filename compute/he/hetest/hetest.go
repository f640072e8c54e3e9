// Package hetest makes whole key sets in memory for tests: what a ceremony
// makes, without its messages. One place then knows every seed, so nothing that
// such a key protects is protected. It is imported by tests only.
package hetest

import (
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/emmansun/gmsm/sm3"
	"github.com/tuneinsight/lattigo/v5/ring"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

// Literal is what a key set is made of; zero values have defaults.
type Literal struct {
	Params       *he.Parameters   // must be set
	Holders      []ceremony.Party // default: N parties "holder-1" ...
	N, Threshold int              // default 3 and 2; N is taken from Holders if these are set
	Datasets     []string         // default "dataset"
	Providers    []string         // default "provider"
	Authority    string           // default "authority"
	Epoch        uint64           // default 1
	Expiry       int64            // default 4102444800, the year 2100
	Cap          uint64           // default threshold.DefaultCap
	// Sign makes the holders' signatures; default Sign of this package.
	Sign func(party string, msg []byte) ([]byte, error)
}

// Set is a key set with all its secrets.
type Set struct {
	Cert   *ceremony.KeyCert
	Public *he.PublicKey
	Relin  *he.RelinKey // nil without multiplication
	Shares map[int]*threshold.Share
	Seeds  []threshold.Seed // per component
}

// Sign is a stand-in for a signature, which anyone can make: for tests.
func Sign(party string, msg []byte) ([]byte, error) {
	h := sm3.New()
	h.Write([]byte("insecure signature of " + party + "\n"))
	h.Write(msg)
	return h.Sum(nil), nil
}

// Verify is the counterpart of Sign.
func Verify(party string, msg, sig []byte) bool {
	want, err := Sign(party, msg)
	return err == nil && string(want) == string(sig)
}

// Keys makes a key set of n holders, any t of which open.
func Keys(t testing.TB, p *he.Parameters, n, th int) (*ceremony.KeyCert, *he.PublicKey, map[int]*threshold.Share) {
	t.Helper()
	s := New(t, Literal{Params: p, N: n, Threshold: th})
	return s.Cert, s.Public, s.Shares
}

// New makes a key set with fresh secrets.
func New(t testing.TB, l Literal) *Set {
	t.Helper()
	set, err := l.complete().build()
	if err != nil {
		t.Fatalf("make key set: %v", err)
	}
	return set
}

func (l Literal) complete() Literal {
	if l.N == 0 {
		l.N = threshold.DefaultHolders
	}
	if l.Threshold == 0 {
		l.Threshold = threshold.DefaultThreshold
	}
	if l.Holders == nil {
		for h := 1; h <= l.N; h++ {
			l.Holders = append(l.Holders, ceremony.Party{
				Name: fmt.Sprintf("holder-%d", h), Agent: [32]byte{1, byte(h)}, Sealing: [32]byte{2, byte(h)},
			})
		}
	}
	l.N = len(l.Holders)
	if l.Datasets == nil {
		l.Datasets = []string{"dataset"}
	}
	if l.Providers == nil {
		l.Providers = make([]string, len(l.Datasets))
		for i := range l.Providers {
			l.Providers[i] = "provider"
		}
	}
	if l.Authority == "" {
		l.Authority = "authority"
	}
	if l.Epoch == 0 {
		l.Epoch = 1
	}
	if l.Expiry == 0 {
		l.Expiry = 4102444800
	}
	if l.Cap == 0 {
		l.Cap = threshold.DefaultCap
	}
	if l.Sign == nil {
		l.Sign = Sign
	}
	return l
}

func (l Literal) build() (*Set, error) {
	sharing, err := threshold.NewSharing(l.N, l.Threshold)
	if err != nil {
		return nil, err
	}
	set := &Set{Shares: map[int]*threshold.Share{}}
	var crs [32]byte
	if _, err := rand.Read(crs[:]); err != nil {
		return nil, err
	}
	for range sharing.Components() {
		var seed threshold.Seed
		if _, err := rand.Read(seed[:]); err != nil {
			return nil, err
		}
		set.Seeds = append(set.Seeds, seed)
	}
	if err := set.publish(l.Params, crs); err != nil {
		return nil, err
	}
	if set.Cert, err = l.certify(set, crs); err != nil {
		return nil, err
	}
	key, err := set.Cert.Hash()
	if err != nil {
		return nil, err
	}
	for h := 1; h <= l.N; h++ {
		seeds := map[int]threshold.Seed{}
		for _, c := range sharing.Of(h) {
			seeds[c] = set.Seeds[c]
		}
		if set.Shares[h], err = threshold.NewShare(l.Params, key, sharing, h, seeds); err != nil {
			return nil, err
		}
	}
	return set, nil
}

func (s *Set) publish(p *he.Parameters, crs [32]byte) error {
	var parts []ring.Poly
	for _, seed := range s.Seeds {
		part, err := threshold.PublicPart(p, seed, crs)
		if err != nil {
			return err
		}
		parts = append(parts, part)
	}
	var err error
	if s.Public, err = threshold.SumPublicKey(p, crs, parts); err != nil || !p.Multiplies() {
		return err
	}
	var one, two []*threshold.RelinPart
	for _, seed := range s.Seeds {
		part, err := threshold.RelinRoundOne(p, seed, crs)
		if err != nil {
			return err
		}
		one = append(one, part)
	}
	sum := threshold.SumRelin(p, one)
	for _, seed := range s.Seeds {
		part, err := threshold.RelinRoundTwo(p, seed, crs, sum)
		if err != nil {
			return err
		}
		two = append(two, part)
	}
	s.Relin = threshold.FinishRelin(p, sum, threshold.SumRelin(p, two))
	return nil
}

func (l Literal) certify(s *Set, crs [32]byte) (*ceremony.KeyCert, error) {
	p := l.Params
	cert := &ceremony.KeyCert{
		Parameters: p.ID(), Use: ceremony.UseAdd, Q: p.Q(), P: p.RLWE().P(), T: p.T(), CRS: crs,
		Datasets: l.Datasets, Providers: l.Providers, Holders: l.Holders, Threshold: l.Threshold,
		Epoch: l.Epoch, Expiry: l.Expiry, Cap: l.Cap, Authority: l.Authority,
	}
	var err error
	if cert.PublicKey, err = s.Public.Hash(p); err != nil {
		return nil, err
	}
	if s.Relin != nil {
		cert.Use = ceremony.UseMul
		if cert.RelinKey, err = s.Relin.Hash(p); err != nil {
			return nil, err
		}
	}
	msg, err := cert.SigningBytes()
	if err != nil {
		return nil, err
	}
	for _, h := range l.Holders {
		sig, err := l.Sign(h.Name, msg)
		if err != nil {
			return nil, err
		}
		cert.Signatures = append(cert.Signatures, sig)
	}
	return cert, nil
}
