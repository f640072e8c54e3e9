package vault

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/yumen-project/yumen/compute/he"
)

// Vault is a directory of lanes. Safe for concurrent use; one process at a time.
type Vault struct {
	dir string
	max int64

	mu    sync.Mutex
	used  int64
	lanes map[[32]byte]*Lane
}

// Open makes the directory where it is missing. maxBytes bounds the leaves of
// all lanes opened; 0 means no bound.
func Open(dir string, maxBytes int64) (*Vault, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open vault: %w", bare(err))
	}
	return &Vault{dir: dir, max: maxBytes, lanes: map[[32]byte]*Lane{}}, nil
}

// Lane opens a lane under a key, and makes it where it is missing. A lane keeps
// the key it was made with.
func (v *Vault) Lane(p *he.Parameters, key [32]byte, dataset, version, lane string) (*Lane, error) {
	id := he.LaneID(dataset, version, lane)
	v.mu.Lock()
	defer v.mu.Unlock()
	if l := v.lanes[id]; l != nil {
		if l.key != key || l.params.ID() != p.ID() {
			return nil, fmt.Errorf("open lane: %w: another key", ErrTaken)
		}
		return l, nil
	}
	l, err := openLane(v, filepath.Join(v.dir, hex.EncodeToString(id[:])), p, key, id)
	if err != nil {
		return nil, err
	}
	v.lanes[id] = l
	v.used += int64(len(l.hashes)) * int64(p.LeafSize())
	return l, nil
}

// Close closes every lane. What was not synced is lost.
func (v *Vault) Close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	var all []error
	for id, l := range v.lanes {
		all = append(all, l.close())
		delete(v.lanes, id)
	}
	return errors.Join(all...)
}

// take reserves room for one leaf.
func (v *Vault) take(n int64) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.max > 0 && v.used+n > v.max {
		return fmt.Errorf("put leaf: %w", ErrFull)
	}
	v.used += n
	return nil
}

func (v *Vault) give(n int64) {
	v.mu.Lock()
	v.used -= n
	v.mu.Unlock()
}

// bare leaves the path out of an error of the file system.
func bare(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
