package ceremony

import (
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/emmansun/gmsm/sm4"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

// trial is a test value under the new key; all of it follows from the transcript,
// so everyone makes the same.
type trial struct {
	openings []*he.Opening
	list     [32]byte
	want     *big.Int
}

// zeros is a keyed stream: the randomness of the test encryption, known to all.
type zeros struct{ cipher.Stream }

func (z zeros) Read(b []byte) (int, error) {
	clear(b)
	z.XORKeyStream(b, b)
	return len(b), nil
}

const trialBound = 1 << 32

// newTrial encrypts two values, for sums their sum is opened, for products their
// product, which tests the relinearisation key too.
func (m *Machine) newTrial() (*trial, error) {
	p, v := m.cfg.Params, &m.view
	k := m.digest("trial", v.cert.Transcript[:], v.key[:])
	block, err := sm4.NewCipher(k[:16])
	if err != nil {
		return nil, err
	}
	enc, err := he.NewEncryptor(p, v.public, zeros{cipher.NewCTR(block, k[16:])})
	if err != nil {
		return nil, err
	}
	value := m.digest("trial value", v.cert.Transcript[:], v.key[:])
	x, y := signed(value[:4]), signed(value[4:8])
	h := he.Header{Key: v.key, Rows: 1}
	first, err := enc.Encrypt(nil, h, []int64{x}, trialBound)
	if err != nil {
		return nil, err
	}
	out := new(trial)
	var sum *he.Sum
	mask := p.AllMask()
	if m.cfg.Proposal.Use == UseMul {
		sum, err = m.trialProduct(enc, h, first, y)
		mask = p.DotMask()
		out.want = new(big.Int).Mul(big.NewInt(x), big.NewInt(y))
	} else {
		sum, err = m.trialSum(enc, h, first, y)
		out.want = big.NewInt(x + y)
	}
	if err != nil {
		return nil, err
	}
	if out.openings, err = he.Extract(p, []he.Term{{Sum: sum, Mask: mask}}); err != nil {
		return nil, err
	}
	out.list, err = threshold.ListHash(p, out.openings)
	return out, err
}

func signed(b []byte) int64 { return int64(int32(binary.BigEndian.Uint32(b))) }

func (m *Machine) trialSum(enc *he.Encryptor, h he.Header, first *he.Leaf, y int64) (*he.Sum, error) {
	second, err := enc.Encrypt(nil, h, []int64{y}, trialBound)
	if err != nil {
		return nil, err
	}
	acc := he.NewAccumulator(m.cfg.Params, h.Key)
	for _, l := range []*he.Leaf{first, second} {
		if err := acc.Add(l); err != nil {
			return nil, err
		}
	}
	return acc.Sum(), nil
}

func (m *Machine) trialProduct(enc *he.Encryptor, h he.Header, first *he.Leaf, y int64) (*he.Sum, error) {
	second, err := enc.EncryptReversed(nil, h, []int64{y}, trialBound)
	if err != nil {
		return nil, err
	}
	product, err := he.NewProduct(m.cfg.Params, h.Key, m.view.relin)
	if err != nil {
		return nil, err
	}
	if err := product.Add(first, second); err != nil {
		return nil, err
	}
	return product.Sum()
}

// opens reports whether every sufficient set of holders finds the test value.
func (m *Machine) opens() error {
	for _, q := range m.sharing.Quorums() {
		some := map[int][]threshold.Answer{}
		for _, h := range q {
			some[h] = m.view.trials[h]
		}
		got, err := threshold.Combine(m.cfg.Params, m.sharing, m.view.test.openings, some, nil)
		if err != nil {
			return err
		}
		if got[0].Cmp(m.view.test.want) != 0 {
			return fmt.Errorf("%w: the test value opens to another", ErrMalformed)
		}
	}
	return nil
}
