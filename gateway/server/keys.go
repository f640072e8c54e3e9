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
	ring, err := importRing(c)
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

// MaskKeyFile is a key of masked tables that production imports: the one that the domain file calls Key,
// for one recipient in one scenario, or, where the three are empty, the one key of samples. File holds 32
// random bytes.
type MaskKeyFile struct{ Scenario, Recipient, Key, File string }

// ImportMaskKey puts a key of masked tables into the ring of c, wrapped by its KEK; the gateway may be at
// work. A key that is there already is refused, and so is one that was destroyed.
func ImportMaskKey(c *Config, f MaskKeyFile) error {
	samples := f.Scenario == "" && f.Recipient == "" && f.Key == ""
	if !samples && (f.Scenario == "" || f.Recipient == "" || f.Key == "") {
		return errors.New("mask key: scenario, recipient and key name are all needed, or none for samples")
	}
	info, err := os.Stat(f.File)
	if err != nil || !info.Mode().IsRegular() || info.Size() != maskKeyBytes {
		return errors.New("mask key: want a file of 32 random bytes")
	}
	if info.Mode().Perm()&0o077 != 0 {
		return errors.New("mask key: file is readable by others: consider the key lost")
	}
	key, err := os.ReadFile(f.File)
	if err != nil {
		return errors.New("mask key: file unreadable")
	}
	defer clear(key)
	ring, err := importRing(c)
	switch {
	case err != nil:
		return err
	case samples:
		return ring.ImportLineageKey(key)
	}
	return ring.ImportMaskKey(f.Scenario, f.Recipient, f.Key, key)
}

const maskKeyBytes = 32

func importRing(c *Config) (*keyring.Ring, error) {
	s := &Server{config: c}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, errors.New("data.dir: not writable")
	}
	return keyring.Open(filepath.Join(c.DataDir, "keys"), keyring.Options{Production: true, Rand: rand.Reader, KEK: s.kek()})
}
