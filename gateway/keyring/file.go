package keyring

import (
	"bytes"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// keyType is the algorithm a stored key is for.
type keyType string

const (
	typeSM2  keyType = "sm2"
	typeSM4  keyType = "sm4"
	typeHMAC keyType = "hmac-sm3"

	blockType  = "YUMEN KEY"
	maxKeyFile = 8 << 10
)

// keyFile is a stored key: PEM (RFC 7468 framing) with headers that say what it
// is for. Wrapped material is sealed with the headers as associated data.
type keyFile struct {
	Type    keyType
	Purpose Purpose
	Name    string // empty for a key outside a ring
	Public  string // sm2 only
	secret  secret
}

func (k *keyFile) encode(kek *Sealer) ([]byte, error) {
	b := &pem.Block{Type: blockType, Headers: k.headers(kek != nil), Bytes: k.secret}
	if kek != nil {
		sealed, err := kek.Seal(nil, k.aad(), k.secret)
		if err != nil {
			return nil, fmt.Errorf("wrap key: %w", err)
		}
		b.Bytes = sealed
	}
	return pem.EncodeToMemory(b), nil
}

func (k *keyFile) headers(wrapped bool) map[string]string {
	h := map[string]string{"Type": string(k.Type), "Purpose": string(k.Purpose), "Wrap": "none"}
	if k.Name != "" {
		h["Name"] = k.Name
	}
	if k.Public != "" {
		h["Public"] = k.Public
	}
	if wrapped {
		h["Wrap"] = "sm4-gcm"
	}
	return h
}

func (k *keyFile) aad() []byte {
	return fmt.Appendf(nil, "yumen key v1\n%s\n%s\n%s\n%s\n", k.Type, k.Purpose, k.Name, k.Public)
}

// parseKeyFile is strict: one block, known headers, canonical encoding.
func parseKeyFile(data []byte, kek *Sealer) (*keyFile, error) {
	b, rest := pem.Decode(data)
	if b == nil || len(rest) != 0 || b.Type != blockType || !bytes.Equal(pem.EncodeToMemory(b), data) {
		return nil, fmt.Errorf("%w: not a key file", ErrKey)
	}
	k := &keyFile{Type: keyType(b.Headers["Type"]), Purpose: Purpose(b.Headers["Purpose"]),
		Name: b.Headers["Name"], Public: b.Headers["Public"], secret: b.Bytes}
	wrap := b.Headers["Wrap"]
	known := len(k.headers(false)) == len(b.Headers) && (wrap == "none" || wrap == "sm4-gcm")
	if !known || !k.Purpose.valid() || k.Name != "" && !validKeyName(k.Name) {
		return nil, fmt.Errorf("%w: unknown or malformed headers", ErrKey)
	}
	if wrap == "sm4-gcm" {
		if kek == nil {
			return nil, fmt.Errorf("%w: wrapped, and no key-encryption key is given", ErrKey)
		}
		plain, err := kek.Open(nil, k.aad(), b.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w: key-encryption key does not fit", ErrKey)
		}
		k.secret = plain
	}
	return k, nil
}

// signer checks that the material is an SM2 key and belongs to the public key
// in the header.
func (k *keyFile) signer(random io.Reader) (SignerKey, error) {
	if k.Type != typeSM2 {
		return SignerKey{}, fmt.Errorf("load signer: %w: not a signing key", ErrKey)
	}
	s, err := newSigner(k.Purpose, k.secret, random)
	if err != nil {
		return SignerKey{}, err
	}
	if s.Public().String() != k.Public {
		return SignerKey{}, fmt.Errorf("load signer: %w: public key differs", ErrKey)
	}
	return s, nil
}

// SaveSigner writes the key to a new file with mode 0600, synced. An existing
// file is never overwritten.
func SaveSigner(path string, s SignerKey) error {
	if s.k == nil {
		return fmt.Errorf("save signer: %w: no key", ErrKey)
	}
	k := &keyFile{Type: typeSM2, Purpose: s.Purpose(), Public: s.Public().String(), secret: s.raw()}
	defer k.secret.wipe()
	data, err := k.encode(nil)
	if err != nil {
		return err
	}
	defer clear(data)
	if err := writeNew(path, data); err != nil {
		return fmt.Errorf("save signer: %w", err)
	}
	return nil
}

// LoadSigner reads a file that SaveSigner wrote. A file that group or world may
// read is refused with ErrExposed.
func LoadSigner(path string) (SignerKey, error) {
	data, err := readPrivate(path)
	if err != nil {
		return SignerKey{}, fmt.Errorf("load signer: %w", err)
	}
	defer clear(data)
	k, err := parseKeyFile(data, nil)
	if err != nil {
		return SignerKey{}, fmt.Errorf("load signer: %w", err)
	}
	defer k.secret.wipe()
	return k.signer(rand.Reader)
}

// readPrivate reads a small regular file that only its owner may read.
func readPrivate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, bare(err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxKeyFile {
		return nil, fmt.Errorf("%w: not a key file", ErrKey)
	}
	if exposed(info.Mode(), 0o077) {
		return nil, ErrExposed
	}
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, bare(err)
	}
	return data, nil
}

// writeNew writes a file that must not exist yet, so that it is there whole and
// durable, or not at all.
func writeNew(path string, data []byte) error {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return bare(err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return bare(err)
	}
	if err := os.Link(tmp.Name(), path); err != nil {
		return bare(err)
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return bare(err)
	}
	err = d.Sync()
	if runtime.GOOS == "windows" { // directories cannot be synced there
		err = nil
	}
	return bare(errors.Join(err, d.Close()))
}

func exposed(mode fs.FileMode, bits fs.FileMode) bool {
	return runtime.GOOS != "windows" && mode.Perm()&bits != 0
}

// bare takes the path out of a file error: errors travel further than paths
// should.
func bare(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return fmt.Errorf("key file: %s: %w", path.Op, path.Err)
	case errors.As(err, &link):
		return fmt.Errorf("key file: %s: %w", link.Op, link.Err)
	}
	return err
}
