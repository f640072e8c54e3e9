package vault

import (
	"errors"
	"fmt"
	"io"
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
	dir    string

	mu      sync.Mutex
	closed  bool
	end     int64               // of the index
	hashes  map[uint32][32]byte // durable
	pending map[uint32][32]byte // written, not yet durable
}

// Range is count batches from first on.
type Range struct{ First, Count uint32 }

// maxBatches bounds a lane: 2^20 batches of 4096 rows are beyond any city.
const maxBatches = 1 << 20

func openLane(v *Vault, dir string, p *he.Parameters, key, id [32]byte) (*Lane, error) {
	l := &Lane{vault: v, params: p, key: key, id: id, dir: dir, hashes: map[uint32][32]byte{}, pending: map[uint32][32]byte{}}
	err := v.disk.MkdirAll(dir)
	if err == nil {
		err = with(v.disk, l.index(), l.load)
	}
	if err == nil {
		err = with(v.disk, l.data(), file.Sync)
	}
	for _, d := range []string{dir, v.dir} {
		if err == nil {
			err = v.disk.SyncDir(d)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open lane: %w", bare(err))
	}
	return l, nil
}

func (l *Lane) data() string { return filepath.Join(l.dir, "leaves") }

func (l *Lane) index() string { return filepath.Join(l.dir, "index") }

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
	if l.closed {
		return fmt.Errorf("put leaf: %w", ErrClosed)
	}
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
	err = with(l.vault.disk, l.data(), func(f file) error {
		_, err := f.WriteAt(leaf, int64(batch)*size)
		return err
	})
	if err != nil {
		l.vault.give(size)
		return fmt.Errorf("put leaf: %w", err)
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
	if l.closed {
		return fmt.Errorf("sync lane: %w", ErrClosed)
	}
	if err := l.commit(); err != nil {
		l.vault.give(int64(len(l.pending)) * int64(l.params.LeafSize()))
		clear(l.pending)
		return fmt.Errorf("sync lane: %w", err)
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
	err := with(l.vault.disk, l.data(), func(f file) error {
		_, err := f.ReadAt(dst, int64(batch)*int64(size))
		return err
	})
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("batch %d: %w: leaves are cut short", batch, ErrDamaged)
	}
	if err != nil {
		return nil, fmt.Errorf("batch %d: %w", batch, err)
	}
	return dst, nil
}

func (l *Lane) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
}
