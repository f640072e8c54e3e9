package keyring

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func open(t *testing.T, dir string, o Options) *Ring {
	t.Helper()
	r, err := Open(dir, o)
	require.NoError(t, err)
	return r
}

func TestKeysSurviveReopening(t *testing.T) {
	for name, kek := range map[string][]byte{"plain": nil, "wrapped": bytes.Repeat([]byte{7}, 16)} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "keys")
			o := Options{KEK: kek}
			r := open(t, dir, o)
			s, err := r.Signer(Checkpoint, "log")
			require.NoError(t, err)
			seal, err := r.Sealer(Index, "v1")
			require.NoError(t, err)
			mac, err := r.MAC(Index, "v1")
			require.NoError(t, err)
			sealed, err := seal.Seal(nil, []byte("aad"), []byte("plain"))
			require.NoError(t, err)

			again := open(t, dir, Options{KEK: kek, Production: true})
			s2, err := again.Signer(Checkpoint, "log")
			require.NoError(t, err)
			require.Equal(t, s.Public(), s2.Public())
			seal2, err := again.Sealer(Index, "v1")
			require.NoError(t, err)
			plain, err := seal2.Open(nil, []byte("aad"), sealed)
			require.NoError(t, err)
			require.Equal(t, "plain", string(plain))
			mac2, err := again.MAC(Index, "v1")
			require.NoError(t, err)
			require.Equal(t, mac.Sum(nil, []byte("a")), mac2.Sum(nil, []byte("a")))

			files, err := filepath.Glob(filepath.Join(dir, "*"))
			require.NoError(t, err)
			require.Len(t, files, 3)
			for _, f := range files {
				info, err := os.Stat(f)
				require.NoError(t, err)
				require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
			}
			info, err := os.Stat(dir)
			require.NoError(t, err)
			require.Equal(t, fs.FileMode(0o700), info.Mode().Perm())
		})
	}
}

func TestWrappedKeysNeedTheirKEK(t *testing.T) {
	dir := t.TempDir()
	_, err := open(t, dir, Options{KEK: make([]byte, 16)}).MAC(Subject, "m")
	require.NoError(t, err)
	_, err = open(t, dir, Options{}).MAC(Subject, "m")
	require.ErrorIs(t, err, ErrKey)
	_, err = open(t, dir, Options{KEK: bytes.Repeat([]byte{1}, 16)}).MAC(Subject, "m")
	require.ErrorIs(t, err, ErrKey)
	_, err = Open(dir, Options{KEK: make([]byte, 15)})
	require.ErrorIs(t, err, ErrKey)
}

func TestProductionRefusesSelfMadeKeys(t *testing.T) {
	r := open(t, t.TempDir(), Options{Production: true})
	_, err := r.Signer(Checkpoint, "log")
	require.ErrorIs(t, err, ErrSelfMade)
	_, err = r.Sealer(Seal, "log")
	require.ErrorIs(t, err, ErrSelfMade)
	_, err = r.MAC(Subject, "log")
	require.ErrorIs(t, err, ErrSelfMade)

	key, err := GenerateSigner(Checkpoint, rand.Reader)
	require.NoError(t, err)
	require.NoError(t, r.ImportSigner("log", key))
	require.ErrorIs(t, r.ImportSigner("log", key), fs.ErrExist)
	s, err := r.Signer(Checkpoint, "log")
	require.NoError(t, err)
	require.Equal(t, key.Public(), s.Public())
	require.NoError(t, r.ImportSealKey(Seal, "log", make([]byte, 16)))
	require.NoError(t, r.ImportMACKey(Subject, "log", make([]byte, 32)))
	require.ErrorIs(t, r.ImportSealKey(Seal, "short", make([]byte, 15)), ErrKey)
	require.ErrorIs(t, r.ImportMACKey(Subject, "short", make([]byte, 31)), ErrKey)
	_, err = r.Sealer(Seal, "log")
	require.NoError(t, err)
	_, err = r.MAC(Subject, "log")
	require.NoError(t, err)
}

func TestExposedFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	_, err := open(t, dir, Options{}).Signer(Approval, "a")
	require.NoError(t, err)
	path := filepath.Join(dir, "approval.sm2.a.key")
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o601} {
		require.NoError(t, os.Chmod(path, mode))
		_, err = open(t, dir, Options{}).Signer(Approval, "a")
		require.ErrorIs(t, err, ErrExposed)
		require.NotContains(t, err.Error(), dir)
	}
	require.NoError(t, os.Chmod(dir, 0o770))
	_, err = Open(dir, Options{})
	require.ErrorIs(t, err, ErrExposed)
}

func TestNamesAreFileNamesAndNothingElse(t *testing.T) {
	r := open(t, t.TempDir(), Options{})
	for _, name := range []string{"", ".", "..", "../a", "a/b", "a\\b", "a b", "a\x00", "é", strings.Repeat("a", 129), ".hidden"} {
		_, err := r.Signer(Approval, name)
		require.ErrorIs(t, err, ErrName)
		require.ErrorIs(t, r.Destroy(Approval, name), ErrName)
	}
	_, err := r.Signer("unknown", "a")
	require.ErrorIs(t, err, ErrName)
	_, err = GenerateSigner("unknown", rand.Reader)
	require.ErrorIs(t, err, ErrName)
}

func TestDestroyedKeysStayDestroyed(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, Options{})
	s, err := r.Signer(Pseudonym, "x")
	require.NoError(t, err)
	seal, err := r.Sealer(Pseudonym, "x")
	require.NoError(t, err)
	mac, err := r.MAC(Pseudonym, "x")
	require.NoError(t, err)
	other, err := r.MAC(Pseudonym, "y")
	require.NoError(t, err)
	before, kept := mac.Sum(nil, []byte("p")), other.Sum(nil, []byte("p"))
	sealed, err := seal.Seal(nil, nil, []byte("p"))
	require.NoError(t, err)

	require.NoError(t, r.Destroy(Pseudonym, "x"))
	require.NoError(t, r.Destroy(Pseudonym, "x"))
	_, err = s.Sign([]byte("m"))
	require.ErrorIs(t, err, ErrDestroyed)
	_, err = seal.Seal(nil, nil, []byte("p"))
	require.ErrorIs(t, err, ErrDestroyed)
	_, err = seal.Open(nil, nil, sealed)
	require.ErrorIs(t, err, ErrDestroyed)
	require.NotEqual(t, before, mac.Sum(nil, []byte("p")))
	require.Equal(t, kept, other.Sum(nil, []byte("p")))

	for _, ring := range []*Ring{r, open(t, dir, Options{})} {
		_, err = ring.Signer(Pseudonym, "x")
		require.ErrorIs(t, err, ErrDestroyed)
		_, err = ring.Sealer(Pseudonym, "x")
		require.ErrorIs(t, err, ErrDestroyed)
		_, err = ring.MAC(Pseudonym, "x")
		require.ErrorIs(t, err, ErrDestroyed)
		require.ErrorIs(t, ring.ImportMACKey(Pseudonym, "x", make([]byte, 32)), ErrDestroyed)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*.x.*"))
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(dir, "pseudonym.x.destroyed")}, left)
}

// A crash after the mark and before the overwriting leaves a key file that can
// no longer be used, and that the next Destroy removes.
func TestDestroyIsResumed(t *testing.T) {
	dir := t.TempDir()
	_, err := open(t, dir, Options{}).Sealer(Index, "v1")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "index.v1.destroyed"), nil, 0o600))
	r := open(t, dir, Options{})
	_, err = r.Sealer(Index, "v1")
	require.ErrorIs(t, err, ErrDestroyed)
	require.NoError(t, r.Destroy(Index, "v1"))
	require.NoFileExists(t, filepath.Join(dir, "index.sm4.v1.key"))
}

func TestConcurrentFirstUseMakesOneKey(t *testing.T) {
	dir := t.TempDir()
	keys := make([]PublicKey, 16)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			r, err := Open(dir, Options{})
			if err != nil {
				return
			}
			if s, err := r.Signer(Manifest, "m"); err == nil {
				keys[i] = s.Public()
			}
		})
	}
	wg.Wait()
	for _, k := range keys {
		require.False(t, k.IsZero())
		require.Equal(t, keys[0], k)
	}
}

func TestSecretsPrintAsKey(t *testing.T) {
	r := open(t, t.TempDir(), Options{})
	key, err := GenerateSigner(Approval, rand.Reader)
	require.NoError(t, err)
	seal, err := r.Sealer(Seal, "s")
	require.NoError(t, err)
	mac, err := r.MAC(Subject, "s")
	require.NoError(t, err)
	signer, err := r.Signer(Request, "s")
	require.NoError(t, err)
	for _, v := range []any{key, &key, seal, mac, signer, secret("hush")} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			require.Equal(t, redacted, fmt.Sprintf(verb, v), "%T %s", v, verb)
		}
		js, err := json.Marshal(map[string]any{"k": v})
		require.NoError(t, err)
		require.JSONEq(t, `{"k":"[key]"}`, string(js), "%T", v)
		var out bytes.Buffer
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "k", v)
		require.Contains(t, out.String(), "k=[key]", "%T", v)
	}
	o := Options{KEK: []byte("0123456789abcdef")}
	js, err := json.Marshal(o)
	require.NoError(t, err)
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %x", o, o, o, o), string(js)} {
		require.NotContains(t, text, "0123")
		require.NotContains(t, text, "48, 49")
		require.NotContains(t, text, "30313233")
	}
}
