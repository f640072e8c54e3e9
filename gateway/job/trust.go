package job

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// errTrust: the trust file on disk is for another domain or key.
var errTrust = errors.New("job: trust file does not fit domain and checkpoint key")

const trustName = "trust.json"

// ensureTrust reads the trust file, or makes it on the first start. Receipts name it by hash, so it
// is never rewritten.
func ensureTrust(o Options, key keyring.PublicKey) ([]byte, error) {
	path := filepath.Join(o.TrustDir, trustName)
	file, err := os.ReadFile(path)
	if err == nil {
		t, err := receipt.ParseTrust(file)
		if err != nil || t.Domain != o.Domain || t.Origin != Origin(o.Domain) || t.CheckpointKey != key.String() {
			return nil, errTrust
		}
		return file, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, errTrust
	}
	t := &receipt.Trust{
		Domain: o.Domain, Origin: Origin(o.Domain), KeyName: KeyName,
		CheckpointKey: key.String(), NotBefore: receipt.FormatTime(o.Clock().Truncate(time.Second)),
	}
	if file, err = t.Marshal(); err != nil {
		return nil, err
	}
	return bytes.Clone(file), writeFile(path, file)
}

// writeFile writes a small file whole or not at all.
func writeFile(path string, data []byte) error {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return errors.New("job: create file")
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return errors.New("job: write file")
	}
	return nil
}
