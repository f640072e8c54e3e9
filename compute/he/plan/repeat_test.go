package plan_test

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/plan"
)

// repeated gives the same ciphertext under every header of a lane, all values
// alike: a billion rows from two encryptions.
type repeated struct {
	t        testing.TB
	keys     *keys
	manifest *plan.Manifest
	value    int64

	mu     sync.Mutex
	leaves map[uint32][]byte // by rows
	hashes [][32]byte
}

func (r *repeated) template(batch uint32) []byte {
	h, err := r.manifest.Header(&r.manifest.Lanes[0], batch)
	require.NoError(r.t, err)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.leaves[h.Rows] == nil {
		enc, err := he.NewEncryptor(r.keys.params, r.keys.Public, rand.Reader)
		require.NoError(r.t, err)
		values := make([]int64, h.Rows)
		for i := range values {
			values[i] = r.value
		}
		l, err := enc.Encrypt(nil, h, values, he.MaxValue)
		require.NoError(r.t, err)
		if r.leaves == nil {
			r.leaves = map[uint32][]byte{}
		}
		r.leaves[h.Rows] = l.Bytes()
	}
	return r.leaves[h.Rows]
}

// batchAt is where the number of the batch stands in a stored leaf.
const batchAt = 38 + 64

func (r *repeated) Leaf(_ context.Context, _, _, _ string, batch uint32, buf []byte) ([]byte, error) {
	l := r.template(batch)
	buf = buf[:len(l)]
	if string(buf[:batchAt]) != string(l[:batchAt]) || string(buf[batchAt+4:batchAt+8]) != string(l[batchAt+4:batchAt+8]) {
		copy(buf, l)
	}
	binary.BigEndian.PutUint32(buf[batchAt:], batch)
	return buf, nil
}

func (r *repeated) Hashes(_ context.Context, _, _, _ string) ([][32]byte, error) {
	if r.hashes == nil {
		for batch := range r.manifest.Lanes[0].Leaves() {
			b, err := r.Leaf(context.Background(), "", "", "", batch, make([]byte, 0, r.keys.params.LeafSize()))
			require.NoError(r.t, err)
			r.hashes = append(r.hashes, he.LeafHash(b))
		}
	}
	return r.hashes, nil
}
