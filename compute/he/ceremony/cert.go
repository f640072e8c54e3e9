package ceremony

import (
	"fmt"
	"slices"
	"time"

	"github.com/emmansun/gmsm/sm3"
	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

// Verify reports whether sig is party's signature of msg under its agent key.
type Verify func(party string, msg, sig []byte) bool

// KeyCert is what all holders sign at the end of a ceremony.
type KeyCert struct {
	Parameters [32]byte // he.Parameters.ID
	Use        Use
	Q, P, T    []uint64 // the primes, in clear
	PublicKey  [32]byte // he.PublicKey.Hash
	RelinKey   [32]byte // he.RelinKey.Hash; zero without multiplication
	CRS        [32]byte
	Datasets   []string
	Providers  []string
	Holders    []Party // points 1 to n
	Threshold  int
	Epoch      uint64
	Expiry     int64 // Unix seconds
	Cap        uint64
	Authority  string
	Ceremony   [32]byte // Proposal.ID
	Transcript [32]byte // of everything said up to the last contribution
	// Signatures are the holders', in their order, of SigningBytes.
	Signatures [][]byte
}

const (
	certPrefix   = "YHKC\x01"
	certDomain   = "yumen key certificate 1"
	maxPrimes    = 8
	maxSignature = 256
)

func (c *KeyCert) proposal() *Proposal {
	return &Proposal{
		Parameters: c.Parameters, Use: c.Use, Datasets: c.Datasets, Providers: c.Providers, Holders: c.Holders,
		Threshold: c.Threshold, Epoch: c.Epoch, Expiry: c.Expiry, Cap: c.Cap, Authority: c.Authority,
	}
}

// body is the canonical form without signatures.
func (c *KeyCert) body() ([]byte, error) {
	if c == nil {
		return nil, fmt.Errorf("%w: none", ErrCert)
	}
	if err := c.proposal().check(); err != nil {
		return nil, err
	}
	w := &writer{}
	w.raw([]byte(certPrefix))
	w.hash(c.Parameters)
	w.u8(int(c.Use))
	for _, primes := range [][]uint64{c.Q, c.P, c.T} {
		if len(primes) > maxPrimes {
			return nil, fmt.Errorf("%w: %d primes", ErrCert, len(primes))
		}
		w.u8(len(primes))
		for _, x := range primes {
			w.u64(x)
		}
	}
	for _, h := range [][32]byte{c.PublicKey, c.RelinKey, c.CRS} {
		w.hash(h)
	}
	c.proposal().terms().write(w)
	w.hash(c.Ceremony)
	w.hash(c.Transcript)
	return w.b, nil
}

// SigningBytes is what every holder signs.
func (c *KeyCert) SigningBytes() ([]byte, error) {
	b, err := c.body()
	if err != nil {
		return nil, err
	}
	return append([]byte(certDomain), b...), nil
}

// Hash names the key set: SM3 of SigningBytes. Signatures are not in it.
func (c *KeyCert) Hash() ([32]byte, error) {
	b, err := c.SigningBytes()
	if err != nil {
		return [32]byte{}, err
	}
	return sm3.Sum(b), nil
}

// Bytes is the canonical form with one signature of every holder.
func (c *KeyCert) Bytes() ([]byte, error) {
	b, err := c.body()
	if err != nil {
		return nil, err
	}
	if len(c.Signatures) != len(c.Holders) {
		return nil, fmt.Errorf("%w: %d signatures of %d holders", ErrCert, len(c.Signatures), len(c.Holders))
	}
	w := &writer{b: b}
	for i, s := range c.Signatures {
		if len(s) == 0 || len(s) > maxSignature {
			return nil, fmt.Errorf("%w: signature of holder %d", ErrCert, i+1)
		}
		w.bytes(s)
	}
	return w.b, nil
}

// ParseKeyCert accepts the canonical form only. It verifies nothing.
func ParseKeyCert(b []byte) (*KeyCert, error) {
	r := &reader{b: b}
	r.expect(certPrefix)
	c := &KeyCert{Parameters: r.hash(), Use: Use(r.u8())}
	for _, primes := range []*[]uint64{&c.Q, &c.P, &c.T} {
		for range r.count(0, maxPrimes) {
			*primes = append(*primes, r.u64())
		}
	}
	c.PublicKey, c.RelinKey, c.CRS = r.hash(), r.hash(), r.hash()
	t := readTerms(r)
	c.Datasets, c.Providers, c.Holders, c.Threshold = t.datasets, t.providers, t.holders, t.threshold
	c.Epoch, c.Expiry, c.Cap, c.Authority = t.epoch, t.expiry, t.scalars, t.authority
	c.Ceremony, c.Transcript = r.hash(), r.hash()
	for i := range c.Holders {
		s := r.bytes(maxSignature)
		if len(s) == 0 {
			return nil, fmt.Errorf("%w: key certificate, signature of holder %d", ErrMalformed, i+1)
		}
		c.Signatures = append(c.Signatures, s)
	}
	if !r.done() {
		return nil, fmt.Errorf("%w: key certificate", ErrMalformed)
	}
	if err := c.proposal().check(); err != nil {
		return nil, fmt.Errorf("%w: key certificate: %w", ErrMalformed, err)
	}
	return c, nil
}

// Sharing says who of the holders knows which component.
func (c *KeyCert) Sharing() (threshold.Sharing, error) {
	return threshold.NewSharing(len(c.Holders), c.Threshold)
}

// Point is the place of a holder, 1 to n, or 0.
func (c *KeyCert) Point(name string) int {
	return 1 + slices.IndexFunc(c.Holders, func(h Party) bool { return h.Name == name })
}

// Trust is what a provider, a gateway or a requester believes beforehand, from
// the authority's trust file.
type Trust struct {
	Parameters []*he.Parameters
	Holders    []Party // more may be known than sign
	Authority  string
	Now        time.Time
	// MinThreshold refuses certificates that fewer holders can open.
	MinThreshold int
}

// VerifyCert accepts a certificate signed by all its holders, of known
// parameters, in force, whose holders are those of the trust file with the same
// keys. The caller compares the hashes of the keys it was given with those here.
func VerifyCert(c *KeyCert, trust Trust, verify Verify) error {
	msg, err := c.SigningBytes()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCert, err)
	}
	if !slices.ContainsFunc(trust.Parameters, c.fits) {
		return fmt.Errorf("%w: parameters not known", ErrCert)
	}
	if trust.Now.IsZero() || trust.Now.Unix() >= c.Expiry {
		return fmt.Errorf("%w: expired", ErrCert)
	}
	if c.Authority != trust.Authority || c.Threshold < trust.MinThreshold {
		return fmt.Errorf("%w: authority or threshold", ErrCert)
	}
	if len(c.Signatures) != len(c.Holders) {
		return fmt.Errorf("%w: %d signatures of %d holders", ErrCert, len(c.Signatures), len(c.Holders))
	}
	for i, h := range c.Holders {
		if !slices.Contains(trust.Holders, h) {
			return fmt.Errorf("%w: holder %d is not in the trust file with these keys", ErrCert, i+1)
		}
		if !verify(h.Name, msg, c.Signatures[i]) {
			return fmt.Errorf("%w: signature of holder %d", ErrCert, i+1)
		}
	}
	return nil
}

// fits reports whether the certificate is of these parameters in every prime.
func (c *KeyCert) fits(p *he.Parameters) bool {
	return p.ID() == c.Parameters && p.Multiplies() == (c.Use == UseMul) && slices.Equal(p.Q(), c.Q) &&
		slices.Equal(p.T(), c.T) && slices.Equal(auxiliary(p), c.P) && (c.RelinKey != [32]byte{}) == p.Multiplies()
}

// auxiliary are the primes of P.
func auxiliary(p *he.Parameters) []uint64 { return append([]uint64(nil), p.RLWE().P()...) }
