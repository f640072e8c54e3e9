package keyring

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
)

// Options of a ring.
type Options struct {
	// Production refuses to make keys: a missing key is ErrSelfMade. Only keys of purpose Index, one for
	// each version of an index and destroyed with it, are made then too, and only under a KEK.
	Production bool
	// Rand is a cryptographically strong source; nil means crypto/rand. Calls
	// are serialised.
	Rand io.Reader
	// KEK, 16 bytes, encrypts the key files; nil leaves them plain. It is
	// copied into a cipher and not kept.
	KEK []byte
}

// Format prints only what is no secret.
func (o Options) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{production:%t kek:%s}", o.Production, redacted)
}

// LogValue prints only what is no secret.
func (o Options) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(o)) }

// MarshalText prints only what is no secret.
func (o Options) MarshalText() ([]byte, error) { return []byte(fmt.Sprint(o)), nil }

// Ring holds the keys of one directory. It is safe for concurrent use.
type Ring struct {
	dir        string
	production bool
	rand       io.Reader
	kek        *Sealer

	mu      sync.Mutex
	signers map[slot]SignerKey
	sealers map[slot]*Sealer
	macs    map[slot]*MAC
}

// slot is where a key lives: its purpose and name.
type slot struct {
	purpose Purpose
	name    string
}

// Open opens the ring in dir and makes the directory with mode 0700 if it is
// missing. A directory that others may write to is refused.
func Open(dir string, o Options) (*Ring, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open keyring: %w", bare(err))
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("open keyring: %w", bare(err))
	}
	if !info.IsDir() || exposed(info.Mode(), 0o022) {
		return nil, fmt.Errorf("open keyring: %w: directory is writable by others", ErrExposed)
	}
	r := &Ring{dir: dir, production: o.Production, rand: &lockedReader{r: o.Rand},
		signers: map[slot]SignerKey{}, sealers: map[slot]*Sealer{}, macs: map[slot]*MAC{}}
	if o.Rand == nil {
		r.rand = rand.Reader
	}
	if o.KEK != nil {
		if r.kek, err = newSealer(o.KEK, r.rand); err != nil {
			return nil, fmt.Errorf("open keyring: %w", err)
		}
	}
	return r, nil
}

type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}

// Signer gives the SM2 key of the slot, and makes it on first use outside
// production.
func (r *Ring) Signer(p Purpose, name string) (Signer, error) {
	at := slot{p, name}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.signers[at]; ok {
		return s, nil
	}
	k, err := r.obtain(at, typeSM2)
	if err != nil {
		return nil, fmt.Errorf("signer: %w", err)
	}
	defer k.secret.wipe()
	s, err := k.signer(r.rand)
	if err != nil {
		return nil, err
	}
	r.signers[at] = s
	return s, nil
}

// Sealer gives the SM4-GCM key of the slot, and makes it on first use outside
// production.
func (r *Ring) Sealer(p Purpose, name string) (*Sealer, error) {
	at := slot{p, name}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.sealers[at]; ok {
		return s, nil
	}
	k, err := r.obtain(at, typeSM4)
	if err != nil {
		return nil, fmt.Errorf("sealer: %w", err)
	}
	defer k.secret.wipe()
	s, err := newSealer(k.secret, r.rand)
	if err != nil {
		return nil, err
	}
	r.sealers[at] = s
	return s, nil
}

// MAC gives the HMAC-SM3 key of the slot, and makes it on first use outside
// production.
func (r *Ring) MAC(p Purpose, name string) (*MAC, error) {
	at := slot{p, name}
	r.mu.Lock()
	defer r.mu.Unlock()
	if m, ok := r.macs[at]; ok {
		return m, nil
	}
	k, err := r.obtain(at, typeHMAC)
	if err != nil {
		return nil, fmt.Errorf("mac: %w", err)
	}
	defer k.secret.wipe()
	m, err := newMAC(k.secret)
	if err != nil {
		return nil, err
	}
	r.macs[at] = m
	return m, nil
}

// ImportSigner stores a key pair under name, for the purpose it was made for.
func (r *Ring) ImportSigner(name string, s SignerKey) error {
	if s.k == nil {
		return fmt.Errorf("import signer: %w: no key", ErrKey)
	}
	return r.store(&keyFile{Type: typeSM2, Purpose: s.Purpose(), Name: name,
		Public: s.Public().String(), secret: s.raw()})
}

// ImportSealKey stores 16 bytes as the SM4 key of the slot.
func (r *Ring) ImportSealKey(p Purpose, name string, key []byte) error {
	if len(key) != sealKeyLen {
		return fmt.Errorf("import seal key: %w: length is not %d", ErrKey, sealKeyLen)
	}
	return r.store(&keyFile{Type: typeSM4, Purpose: p, Name: name, secret: append(secret(nil), key...)})
}

// ImportMACKey stores 32 bytes as the HMAC key of the slot.
func (r *Ring) ImportMACKey(p Purpose, name string, key []byte) error {
	if len(key) != macKeyLen {
		return fmt.Errorf("import mac key: %w: length is not %d", ErrKey, macKeyLen)
	}
	return r.store(&keyFile{Type: typeHMAC, Purpose: p, Name: name, secret: append(secret(nil), key...)})
}

// store writes a key that must not exist yet (fs.ErrExist) and wipes the
// material.
func (r *Ring) store(k *keyFile) error {
	defer k.secret.wipe()
	at := slot{k.Purpose, k.Name}
	if err := r.usable(at); err != nil {
		return fmt.Errorf("store key: %w", err)
	}
	data, err := k.encode(r.kek)
	if err != nil {
		return err
	}
	defer clear(data)
	if err := writeNew(r.path(at, k.Type), data); err != nil {
		return fmt.Errorf("store key: %w", err)
	}
	return nil
}

// obtain reads the key, or makes it. Of two processes that make it at once, one
// wins and both read what it wrote.
func (r *Ring) obtain(at slot, t keyType) (*keyFile, error) {
	if err := r.usable(at); err != nil {
		return nil, err
	}
	k, err := r.read(at, t)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if r.production && !(at.purpose == Index && r.kek != nil) {
		return nil, ErrSelfMade
	}
	made, err := r.generate(at, t)
	if err != nil {
		return nil, err
	}
	if err := r.store(made); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return r.read(at, t)
}

func (r *Ring) generate(at slot, t keyType) (*keyFile, error) {
	k := &keyFile{Type: t, Purpose: at.purpose, Name: at.name}
	if t == typeSM2 {
		s, err := GenerateSigner(at.purpose, r.rand)
		if err != nil {
			return nil, err
		}
		k.Public, k.secret = s.Public().String(), s.raw()
		return k, nil
	}
	k.secret = make(secret, sealKeyLen)
	if t == typeHMAC {
		k.secret = make(secret, macKeyLen)
	}
	if _, err := io.ReadFull(r.rand, k.secret); err != nil {
		return nil, fmt.Errorf("generate key: %w", err)
	}
	return k, nil
}

func (r *Ring) read(at slot, t keyType) (*keyFile, error) {
	data, err := readPrivate(r.path(at, t))
	if err != nil {
		return nil, err
	}
	defer clear(data)
	k, err := parseKeyFile(data, r.kek)
	if err != nil {
		return nil, err
	}
	if k.Type != t || k.Purpose != at.purpose || k.Name != at.name {
		return nil, fmt.Errorf("%w: file is of another key", ErrKey)
	}
	return k, nil
}

func (r *Ring) usable(at slot) error {
	if !at.purpose.valid() || !validKeyName(at.name) {
		return ErrName
	}
	_, err := os.Lstat(r.tombstone(at))
	switch {
	case err == nil:
		return ErrDestroyed
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return bare(err)
}

func (r *Ring) path(at slot, t keyType) string {
	return filepath.Join(r.dir, fmt.Sprintf("%s.%s.%s.key", at.purpose, t, at.name))
}

func (r *Ring) tombstone(at slot) string {
	return filepath.Join(r.dir, fmt.Sprintf("%s.%s.destroyed", at.purpose, at.name))
}
