package server

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"

	"github.com/yumen-project/yumen/gateway/job"
	"github.com/yumen-project/yumen/gateway/keyring"
)

// KeyFiles are the keys that production imports before its first start: the checkpoint signer as made by
// keygen, 16 bytes that seal results, and 32 bytes for pseudonyms of subjects.
type KeyFiles struct{ Checkpoint, Seal, Subject string }

// ImportKeys puts keys that were made elsewhere into the ring of c, wrapped by its KEK. A key that is
// there already is refused, never replaced.
func ImportKeys(c *Config, files KeyFiles) error {
	s := &Server{config: c}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return errors.New("data.dir: not writable")
	}
	ring, err := keyring.Open(filepath.Join(c.DataDir, "keys"), keyring.Options{Production: true, Rand: rand.Reader, KEK: s.kek()})
	if err != nil {
		return err
	}
	signer, err := keyring.LoadSigner(files.Checkpoint)
	if err != nil {
		return err
	}
	seal, err := os.ReadFile(files.Seal)
	if err != nil {
		return errors.New("seal key: file unreadable")
	}
	subject, err := os.ReadFile(files.Subject)
	if err != nil {
		return errors.New("subject key: file unreadable")
	}
	return errors.Join(
		ring.ImportSigner(job.CheckpointKeyName, signer),
		ring.ImportSealKey(keyring.Seal, job.SealKeyName, seal),
		ring.ImportMACKey(keyring.Subject, job.SubjectKeyName, subject))
}
