package he_test

import (
	"crypto/rand"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
)

// world is a small ring with one key: fast, and of the same shape as the real one.
type world struct {
	params *he.Parameters
	secret *wholeSecret
	public *he.PublicKey
	enc    *he.Encryptor
	key    [32]byte
}

func newWorld(t testing.TB, p *he.Parameters, seed byte) *world {
	w := &world{params: p, key: [32]byte{seed}}
	w.secret, w.public = newWholeSecret(t, p, uint64(seed))
	var err error
	w.enc, err = he.NewEncryptor(p, w.public, rand.Reader)
	require.NoError(t, err)
	return w
}

func smallWorld(t testing.TB, seed byte, multiply bool) *world {
	p, err := he.InsecureTestParameters(6, multiply)
	require.NoError(t, err)
	return newWorld(t, p, seed)
}

func (w *world) header(batch, rows int) he.Header {
	return he.Header{Key: w.key, Lane: he.LaneID("d", "1", "x"), Batch: uint32(batch), Rows: uint32(rows)}
}

func (w *world) leaf(t testing.TB, batch int, values []int64) *he.Leaf {
	l, err := w.enc.Encrypt(nil, w.header(batch, max(len(values), 1)), values, he.MaxValue)
	require.NoError(t, err)
	return l
}

// open extracts, decrypts with whole secrets and decodes.
func open(t testing.TB, p *he.Parameters, terms []he.Term, worlds ...*world) *big.Int {
	openings, err := he.Extract(p, terms)
	require.NoError(t, err)
	secrets := map[[32]byte]*wholeSecret{}
	for _, w := range worlds {
		secrets[w.key] = w.secret
	}
	v, err := he.Decode(p, phases(p, openings, secrets), nil)
	require.NoError(t, err)
	return v
}

func openingBytes(t testing.TB, p *he.Parameters, terms []he.Term) []byte {
	openings, err := he.Extract(p, terms)
	require.NoError(t, err)
	var all []byte
	for _, o := range openings {
		b, err := o.Bytes(p)
		require.NoError(t, err)
		all = append(all, b...)
	}
	return all
}
