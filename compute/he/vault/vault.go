package vault

import (
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"sync"

	"github.com/yumen-project/yumen/compute/he"
)

// Vault is a directory of lanes. Safe for concurrent use; one process at a time,
// and one Vault of it.
type Vault struct {
	dir  string
	max  int64
	disk disk
	lock io.Closer

	mu    sync.Mutex
	used  int64
	lanes map[[32]byte]*Lane
}

// Open makes the directory where it is missing, durably, and locks it: ErrBusy if
// another has it. maxBytes bounds the leaves of all lanes opened; 0 means no bound.
func Open(dir string, maxBytes int64) (*Vault, error) { return openOn(osDisk{}, dir, maxBytes) }

func openOn(d disk, dir string, maxBytes int64) (*Vault, error) {
	err := d.MkdirAll(dir)
	if err == nil {
		err = d.SyncDir(filepath.Dir(filepath.Clean(dir)))
	}
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", bare(err))
	}
	held, err := lock(dir)
	if err != nil {
		return nil, err
	}
	return &Vault{dir: dir, max: maxBytes, disk: d, lock: held, lanes: map[[32]byte]*Lane{}}, nil
}

// Lane opens a lane under a key, and makes it where it is missing. A lane keeps
// the key it was made with.
func (v *Vault) Lane(p *he.Parameters, key [32]byte, dataset, version, lane string) (*Lane, error) {
	id := he.LaneID(dataset, version, lane)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.lock == nil {
		return nil, fmt.Errorf("open lane: %w", ErrClosed)
	}
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

// Close lets others in; its lanes take nothing more. What was not synced is lost.
func (v *Vault) Close() error {
	v.mu.Lock()
	lanes, held := v.lanes, v.lock
	v.lanes, v.lock = map[[32]byte]*Lane{}, nil
	v.mu.Unlock()
	for _, l := range lanes {
		l.close()
	}
	if held == nil {
		return nil
	}
	return held.Close()
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
