package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/keyring"
)

// cosign writes the newest checkpoint with a witness's signature, as the witness gives it out.
func (w *world) cosign(key keyring.SignerKey, name string) {
	cp := w.log.Latest()
	line, err := audit.Cosign(cp, "witness", 1_795_000_000, signer{key})
	require.NoError(w.t, err)
	w.write(name, cp.WithCosignature(line))
}

func (w *world) verifyLog(args ...string) (string, error) {
	var out bytes.Buffer
	args = append([]string{"log", filepath.Join(w.dir, "log"), "--trust", filepath.Join(w.dir, "trust"), "--lang", "en"}, args...)
	err := run(context.Background(), args, &out, time.Now())
	return out.String(), err
}

// The key's owner rolls everything back and writes another history. The forged log holds by itself; what a
// witness signed before shows it, offline.
func TestR56_ForkByTheOwnerIsFoundAgainstAWitness(t *testing.T) {
	key, err := keyring.GenerateSigner(keyring.Witness, rand.Reader)
	require.NoError(t, err)
	public := key.Public().String()
	for name, forge := range map[string]func(w *world){
		"honest":      func(*world) {},
		"rolled back": func(w *world) { w.rollBack(); w.refuse(5) },
		"forked":      func(w *world) { w.rollBack(); w.refuse(700) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, newKey(t))
			w.refuse(300)
			w.keep()
			w.refuse(300)
			w.cosign(key, "witnessed")
			forge(w)
			w.publish()
			_, err := w.verifyLog()
			require.NoError(t, err, "without a witness nothing shows")
			out, err := w.verifyLog("--witness", filepath.Join(w.dir, "witnessed"), "--witness-key", public)
			if name == "honest" {
				require.NoError(t, err)
				require.Contains(t, out, "ok   witness: holds\n")
				return
			}
			require.EqualError(t, err, `claim "witness" fails`)
			require.Contains(t, out, "FAIL witness: the log is a fork")
		})
	}
}

// keep copies everything there is of the log; rollBack puts it back.
func (w *world) keep() {
	require.NoError(w.t, w.log.Close())
	require.NoError(w.t, os.CopyFS(filepath.Join(w.dir, "..", "kept"), os.DirFS(w.home)))
	w.open()
}

func (w *world) rollBack() {
	require.NoError(w.t, w.log.Close())
	require.NoError(w.t, os.RemoveAll(w.home))
	require.NoError(w.t, os.CopyFS(w.home, os.DirFS(filepath.Join(w.dir, "..", "kept"))))
	w.open()
}

func TestWitnessedCheckpointIsJudgedItself(t *testing.T) {
	key, err := keyring.GenerateSigner(keyring.Witness, rand.Reader)
	require.NoError(t, err)
	other, err := keyring.GenerateSigner(keyring.Witness, rand.Reader)
	require.NoError(t, err)
	w := newWorld(t, newKey(t))
	w.refuse(20)
	w.cosign(key, "witnessed")
	w.write("plain", w.log.Latest().Text)
	w.publish()
	file := filepath.Join(w.dir, "witnessed")
	for name, args := range map[string][]string{
		"of another witness": {"--witness", file, "--witness-key", other.Public().String()},
		"not cosigned":       {"--witness", filepath.Join(w.dir, "plain"), "--witness-key", key.Public().String()},
		"not a note":         {"--witness", filepath.Join(w.dir, "trust", "jilin.json"), "--witness-key", key.Public().String()},
	} {
		_, err := w.verifyLog(args...)
		require.EqualError(t, err, `claim "witness" fails`, name)
	}
	for name, args := range map[string][]string{
		"no key": {"--witness", file}, "no file": {"--witness-key", key.Public().String()}, "key that is none": {"--witness", file, "--witness-key", "04"},
	} {
		_, err := w.verifyLog(args...)
		require.ErrorIs(t, err, errUsage, name)
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	for i := range text {
		bad := bytes.Clone(text)
		bad[i] ^= 1
		w.write("witnessed", bad)
		_, err := w.verifyLog("--witness", file, "--witness-key", key.Public().String())
		require.Error(t, err, "byte %d", i)
	}
}
