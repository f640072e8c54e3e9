package main

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/masking"
	"github.com/yumen-project/yumen/masking/sm3lanes"
)

// maskKeys is a directory of keys for one recipient in one scenario: one file of 32 random bytes for
// each key name, 0600, under a name that is a digest of scenario, recipient and key name. Another
// recipient has other keys, so that the two outputs cannot be joined; a file destroyed is that key gone.
// The lineage key of samples is one for all: it must choose the same persons every time.
type maskKeys struct {
	dir, scenario, recipient string
	make                     bool
	used                     map[string][sm3lanes.Size]byte // fingerprints, by purpose and name
}

const (
	rootKeyBytes = 32
	keyFileBytes = 2*rootKeyBytes + 1 // hex and a line end
)

var errKeyFile = errors.New("key file is not one that this command made")

// String prints nothing of a key.
func (*maskKeys) String() string { return "[key]" }

// GoString is String.
func (*maskKeys) GoString() string { return "[key]" }

// LogValue is String.
func (*maskKeys) LogValue() slog.Value { return slog.StringValue("[key]") }

// MarshalText is String.
func (*maskKeys) MarshalText() ([]byte, error) { return []byte("[key]"), nil }

// Key derives a technique's key from the named one: HMAC-SM3 over purpose, scenario, recipient and name.
func (k *maskKeys) Key(purpose, name string) ([]byte, error) {
	scenario, recipient := k.scenario, k.recipient
	if purpose == masking.PurposeSample {
		scenario, recipient = "", ""
	} else if scenario == "" || recipient == "" {
		return nil, errors.New("keys belong to a recipient and a scenario: give --recipient and --scenario")
	}
	if k.dir == "" {
		return nil, errors.New("a keyed technique needs --keys")
	}
	root, err := k.root(labelled("yumen/mask-key-file/v1", scenario, recipient, name))
	if err != nil {
		return nil, err
	}
	defer clear(root)
	mac, err := sm3lanes.NewKey(root)
	if err != nil {
		return nil, errKeyFile
	}
	key := macOf(mac, labelled("yumen/mask-key/v1", purpose, scenario, recipient, name))
	k.used[purpose+"\x00"+name] = audit.HashOf(append([]byte("yumen/mask-key-version/v1"), key[:]...))
	return key[:], nil
}

func macOf(k *sm3lanes.Key, msg []byte) (out [sm3lanes.Size]byte) {
	k.MACLarge(out[:], msg, []int64{0, int64(len(msg))})
	return out
}

// labelled writes every part after its length, so that no two lists encode alike.
func labelled(parts ...string) []byte {
	var out []byte
	for _, p := range parts {
		out = binary.BigEndian.AppendUint32(out, uint32(len(p)))
		out = append(out, p...)
	}
	return out
}

func (k *maskKeys) root(label []byte) ([]byte, error) {
	sum := audit.HashOf(label)
	path := filepath.Join(k.dir, hex.EncodeToString(sum[:16])+".maskkey")
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) && k.make {
		if err := makeRootKey(k.dir, path); err != nil {
			return nil, err
		}
		info, err = os.Lstat(path)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("key is missing: --make-keys makes one, unless it was destroyed")
	case err != nil:
		return nil, errors.New("key file unreadable")
	case !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0:
		return nil, errors.New("key file is readable by others: consider the key lost")
	case info.Size() != keyFileBytes:
		return nil, errKeyFile
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, errors.New("key file unreadable")
	}
	defer clear(text)
	root := make([]byte, rootKeyBytes)
	if n, err := hex.Decode(root, []byte(strings.TrimSuffix(string(text), "\n"))); err != nil || n != rootKeyBytes {
		return nil, errKeyFile
	}
	return root, nil
}

// makeRootKey writes a new key under a name of its own first: a kill leaves no half of one.
func makeRootKey(dir, path string) error {
	bad := errors.New("key directory not writable")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return bad
	}
	root := make([]byte, rootKeyBytes)
	defer clear(root)
	if _, err := io.ReadFull(rand.Reader, root); err != nil {
		return errors.New("no randomness for a key")
	}
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return bad
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(hex.EncodeToString(root) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return bad
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return bad
	}
	return nil
}
