package vault

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/yumen-project/yumen/compute/he"
)

// Lane is the leaves of one lane of one version of a data set.
type Lane struct {
	vault  *Vault
	params *he.Parameters
	key    [32]byte
	id     [32]byte

	mu      sync.Mutex
	data    *os.File
	index   *os.File
	hashes  map[uint32][32]byte // durable
	pending map[uint32][32]byte // written, not yet durable
}

// Range is count batches from first on.
type Range struct{ First, Count uint32 }

// maxBatches bounds a lane: 2^20 batches of 4096 rows are beyond any city.
const maxBatches = 1 << 20

func openLane(v *Vault, dir string, p *he.Parameters, key, id [32]byte) (*Lane, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open lane: %w", bare(err))
	}
	l := &Lane{vault: v, params: p, key: key, id: id, hashes: map[uint32][32]byte{}, pending: map[uint32][32]byte{}}
	var err error
	if l.data, err = os.OpenFile(filepath.Join(dir, "leaves"), os.O_RDWR|os.O_CREATE, 0o600); err == nil {
		l.index, err = os.OpenFile(filepath.Join(dir, "index"), os.O_RDWR|os.O_CREATE, 0o600)
	}
	if err == nil {
		err = l.load()
	}
	if err == nil {
		err = syncDirs(v.dir, dir)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open lane: %w", bare(err)), l.close())
	}
	return l, nil
}

// Put takes one leaf in canonical form for the lane's key and the batch; the
// same leaf twice is one. It is held, and survives a crash, after Sync.
func (l *Lane) Put(batch uint32, leaf []byte) error {
	if batch >= maxBatches {
		return fmt.Errorf("put leaf: %w: batch %d beyond %d", ErrFull, batch, maxBatches)
	}
	parsed, err := he.ParseLeaf(l.params, leaf)
	if err != nil {
		return fmt.Errorf("put leaf: %w", err)
	}
	if h := parsed.Header(); h.Key != l.key || h.Lane != l.id || h.Batch != batch {
		return fmt.Errorf("put leaf: %w", he.ErrMismatch)
	}
	hash := parsed.Hash()
	l.mu.Lock()
	defer l.mu.Unlock()
	if known, ok := l.find(batch); ok {
		if known != hash {
			return fmt.Errorf("put leaf: %w", ErrTaken)
		}
		return nil
	}
	size := int64(l.params.LeafSize())
	if err := l.vault.take(size); err != nil {
		return err
	}
	if _, err := l.data.WriteAt(leaf, int64(batch)*size); err != nil {
		l.vault.give(size)
		return fmt.Errorf("put leaf: %w", bare(err))
	}
	l.pending[batch] = hash
	return nil
}

func (l *Lane) find(batch uint32) ([32]byte, bool) {
	if hash, ok := l.hashes[batch]; ok {
		return hash, true
	}
	hash, ok := l.pending[batch]
	return hash, ok
}

// Sync makes durable what was put. After an error nothing put since the last
// Sync is held, and it has to be put again.
func (l *Lane) Sync() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending) == 0 {
		return nil
	}
	if err := l.commit(); err != nil {
		l.vault.give(int64(len(l.pending)) * int64(l.params.LeafSize()))
		clear(l.pending)
		return fmt.Errorf("sync lane: %w", bare(err))
	}
	for batch, hash := range l.pending {
		l.hashes[batch] = hash
	}
	clear(l.pending)
	return nil
}

// Held lists the durable batches in ascending order.
func (l *Lane) Held() []Range {
	l.mu.Lock()
	defer l.mu.Unlock()
	batches := make([]uint32, 0, len(l.hashes))
	for b := range l.hashes {
		batches = append(batches, b)
	}
	slices.Sort(batches)
	var out []Range
	for _, b := range batches {
		if n := len(out); n > 0 && out[n-1].First+out[n-1].Count == b {
			out[n-1].Count++
			continue
		}
		out = append(out, Range{b, 1})
	}
	return out
}

// Hash is the hash a held leaf entered with.
func (l *Lane) Hash(batch uint32) ([32]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	hash, ok := l.hashes[batch]
	if !ok {
		return hash, fmt.Errorf("batch %d: %w", batch, ErrMissing)
	}
	return hash, nil
}

// Read gives the stored form of a held leaf, in dst where it has room, and
// checks that its hash is the one it entered with.
func (l *Lane) Read(batch uint32, dst []byte) ([]byte, error) {
	want, err := l.Hash(batch)
	if err != nil {
		return nil, err
	}
	b, err := l.ReadUnchecked(batch, dst)
	if err == nil && he.LeafHash(b) != want {
		return nil, fmt.Errorf("batch %d: %w", batch, ErrDamaged)
	}
	return b, err
}

// ReadUnchecked is Read without the hash: for one who checks it anyway, or who
// checked this copy before and whose disk is its own.
func (l *Lane) ReadUnchecked(batch uint32, dst []byte) ([]byte, error) {
	if _, err := l.Hash(batch); err != nil {
		return nil, err
	}
	size := l.params.LeafSize()
	if cap(dst) < size {
		dst = make([]byte, size)
	}
	dst = dst[:size]
	if _, err := l.data.ReadAt(dst, int64(batch)*int64(size)); err != nil {
		return nil, fmt.Errorf("batch %d: %w: leaves are cut short", batch, ErrDamaged)
	}
	return dst, nil
}

func (l *Lane) close() error {
	var all []error
	for _, f := range []*os.File{l.data, l.index} {
		if f != nil {
			if err := f.Close(); err != nil {
				all = append(all, bare(err))
			}
		}
	}
	return errors.Join(all...)
}
