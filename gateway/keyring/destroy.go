package keyring

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Destroy ends all keys of the slot for good: a durable mark first, then each
// key file is overwritten, synced and removed, and what was handed out stops
// working. It may be repeated until it returns nil. A slot without keys is
// marked as well.
func (r *Ring) Destroy(p Purpose, name string) error {
	at := slot{p, name}
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.usable(at)
	if err != nil && !errors.Is(err, ErrDestroyed) {
		return fmt.Errorf("destroy key: %w", err)
	}
	r.forget(at)
	if err == nil {
		if err := writeNew(r.tombstone(at), []byte("destroyed\n")); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("destroy key: mark: %w", err)
		}
	}
	for _, t := range []keyType{typeSM2, typeSM4, typeHMAC} {
		if err := r.shred(r.path(at, t)); err != nil {
			return fmt.Errorf("destroy key: %w", err)
		}
	}
	return r.replaceMAC(at)
}

// forget makes handed-out signers and sealers fail.
func (r *Ring) forget(at slot) {
	if s, ok := r.signers[at]; ok {
		s.k.destroyed.Store(true)
		delete(r.signers, at)
	}
	if s, ok := r.sealers[at]; ok {
		s.destroy()
		delete(r.sealers, at)
	}
}

// replaceMAC gives a handed-out MAC a key that nobody has.
func (r *Ring) replaceMAC(at slot) error {
	m, ok := r.macs[at]
	if !ok {
		return nil
	}
	key := make(secret, macKeyLen)
	defer key.wipe()
	if _, err := io.ReadFull(r.rand, key); err != nil {
		return fmt.Errorf("destroy key: replace: %w", err)
	}
	m.set(key)
	delete(r.macs, at)
	return nil
}

// shred overwrites a key file with random bytes, then zeros, each synced, and
// removes it.
func (r *Ring) shred(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return bare(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return bare(err)
	}
	buf := make([]byte, info.Size())
	if _, err := io.ReadFull(r.rand, buf); err != nil {
		return fmt.Errorf("overwrite: %w", err)
	}
	for range 2 {
		if _, err := f.WriteAt(buf, 0); err != nil {
			return bare(err)
		}
		if err := f.Sync(); err != nil {
			return bare(err)
		}
		clear(buf)
	}
	if err := os.Remove(path); err != nil {
		return bare(err)
	}
	return syncDir(r.dir)
}
