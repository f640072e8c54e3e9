package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/yumen-project/yumen/gateway/keyring"
)

// Identity is a party's own keys.
type Identity struct {
	Party    string
	Agent    keyring.Signer // signs what the agent says
	Envelope opener         // opens what is sealed to the party
	Request  keyring.Signer // signs queries
	sealer   *keyring.Sealer
}

// opener is an envelope key.
type opener interface {
	Public() keyring.PublicKey
	OpenEnvelope(aad, sealed []byte) ([]byte, error)
}

// Names of keys in the ring of a party.
const keyName = "own"

// InitIdentity makes keys and the empty state of a party in a new directory. kek, 16
// bytes, encrypts the key files; nil leaves them plain.
func InitIdentity(dir, party string, kek []byte) (*Identity, error) {
	if party == "" || filepath.Base(party) != party {
		return nil, errors.New("agent: not a name of a party")
	}
	if _, err := os.Stat(filepath.Join(dir, "party")); err == nil {
		return nil, fmt.Errorf("agent: %w: state exists already", fs.ErrExist)
	}
	ring, err := keyring.Open(filepath.Join(dir, "keys"), keyring.Options{KEK: kek})
	if err != nil {
		return nil, err
	}
	id, err := identity(ring, party)
	if err != nil {
		return nil, err
	}
	store, err := openStore(dir, id.sealer)
	if err != nil {
		return nil, err
	}
	b := newBook()
	err = errors.Join(b.save(store), store.Close())
	if err != nil {
		return nil, err
	}
	return id, writeFile(filepath.Join(dir, "party"), []byte(party+"\n"))
}

// LoadIdentity reads the keys of a directory that InitIdentity made.
func LoadIdentity(dir string, kek []byte) (*Identity, error) {
	name, err := readFile(filepath.Join(dir, "party"), 1<<10)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoState
	}
	if err != nil || len(name) < 2 {
		return nil, ErrState
	}
	ring, err := keyring.Open(filepath.Join(dir, "keys"), keyring.Options{KEK: kek})
	if err != nil {
		return nil, err
	}
	return identity(ring, string(name[:len(name)-1]))
}

func identity(ring *keyring.Ring, party string) (*Identity, error) {
	id := &Identity{Party: party}
	var err error
	if id.Agent, err = ring.Signer(keyring.Agent, keyName); err != nil {
		return nil, err
	}
	envelope, err := ring.Signer(keyring.Envelope, keyName)
	if err != nil {
		return nil, err
	}
	var ok bool
	if id.Envelope, ok = envelope.(opener); !ok {
		return nil, keyring.ErrKey
	}
	if id.Request, err = ring.Signer(keyring.Request, keyName); err != nil {
		return nil, err
	}
	id.sealer, err = ring.Sealer(keyring.Seal, keyName)
	return id, err
}
