package keyring

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func generate(t testing.TB, p Purpose) SignerKey {
	t.Helper()
	k, err := GenerateSigner(p, rand.Reader)
	require.NoError(t, err)
	return k
}

func TestSignaturesHoldForTheirPurposeOnly(t *testing.T) {
	key := generate(t, Checkpoint)
	msg := []byte("message")
	sig, err := key.Sign(msg)
	require.NoError(t, err)
	require.Len(t, sig, SignatureSize)
	require.True(t, key.Public().Verify(Checkpoint, msg, sig))
	require.True(t, secondOpinion(key.Public(), append(Checkpoint.context(nil), msg...), userID, sig))
	for _, p := range []Purpose{Approval, Manifest, PartyReceipt, Request, Seal, Index, Pseudonym, Lineage, Subject, "", "x"} {
		require.False(t, key.Public().Verify(p, msg, sig), p)
	}
	require.False(t, generate(t, Checkpoint).Public().Verify(Checkpoint, msg, sig))
	require.False(t, PublicKey{}.Verify(Checkpoint, msg, sig))
	require.False(t, key.Public().Verify(Checkpoint, append(msg, 0), sig))
	for at := range sig {
		bad := bytes.Clone(sig)
		bad[at] ^= 1 << (at % 8)
		require.False(t, key.Public().Verify(Checkpoint, msg, bad))
	}
	for _, bad := range [][]byte{nil, sig[:63], append(bytes.Clone(sig), 0), make([]byte, 64),
		append(make([]byte, 32), sig[32:]...), append(bytes.Clone(sig[:32]), make([]byte, 32)...), bytes.Repeat([]byte{0xff}, 64)} {
		require.False(t, key.Public().Verify(Checkpoint, msg, bad))
	}
	_, err = SignerKey{}.Sign(msg)
	require.ErrorIs(t, err, ErrKey)
	require.True(t, SignerKey{}.Public().IsZero())
	require.Empty(t, SignerKey{}.Purpose())
}

// The context of one purpose with some message never equals that of another.
func TestContextsDoNotMeet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom([]Purpose{Checkpoint, Approval, Manifest, PartyReceipt, Request}).Draw(t, "p")
		q := rapid.SampledFrom([]Purpose{Checkpoint, Approval, Manifest, PartyReceipt, Request}).Draw(t, "q")
		m := rapid.SliceOf(rapid.Byte()).Draw(t, "m")
		n := rapid.SliceOf(rapid.Byte()).Draw(t, "n")
		same := p == q && bytes.Equal(m, n)
		require.Equal(t, same, bytes.Equal(append(p.context(nil), m...), append(q.context(nil), n...)))
	})
}

func TestPublicKeysAreChecked(t *testing.T) {
	k := generate(t, Approval).Public()
	text := k.String()
	require.Len(t, text, 130)
	for _, form := range []string{text, strings.ToUpper(text), base64.StdEncoding.EncodeToString(k.Bytes())} {
		got, err := ParsePublicKey(form)
		require.NoError(t, err)
		require.Equal(t, k, got)
	}
	js, err := json.Marshal(k)
	require.NoError(t, err)
	var back PublicKey
	require.NoError(t, json.Unmarshal(js, &back))
	require.Equal(t, k, back)
	off := []byte(text)
	off[129] ^= 1
	b64 := base64.StdEncoding.EncodeToString(k.Bytes())
	for _, bad := range []string{"", "04", text[:128], "02" + text[2:], "06" + text[2:], text + "00", string(off),
		"04" + strings.Repeat("00", 64), "04" + strings.Repeat("ff", 64), "zz" + text[2:], strings.Repeat("00", 65),
		b64[:40] + "\n" + b64[40:], b64[:87], base64.RawStdEncoding.EncodeToString(k.Bytes()) + "!"} {
		_, err := ParsePublicKey(bad)
		require.ErrorIs(t, err, ErrKey, bad)
		require.Error(t, new(PublicKey).UnmarshalText([]byte(bad)))
	}
	require.NotEqual(t, k.ID(), generate(t, Approval).Public().ID())
}

func TestSavedSigner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "authority.key")
	key := generate(t, Approval)
	require.NoError(t, SaveSigner(path, key))
	require.ErrorIs(t, SaveSigner(path, key), fs.ErrExist)
	require.ErrorIs(t, SaveSigner(path+"2", SignerKey{}), ErrKey)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	got, err := LoadSigner(path)
	require.NoError(t, err)
	require.Equal(t, key.Public(), got.Public())
	require.Equal(t, Approval, got.Purpose())
	sig, err := got.Sign([]byte("m"))
	require.NoError(t, err)
	require.True(t, key.Public().Verify(Approval, []byte("m"), sig))

	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(whole), "Purpose: approval\n")
	for at := range whole {
		changed := bytes.Clone(whole)
		changed[at] ^= 1
		require.NoError(t, os.WriteFile(path, changed, 0o600))
		other, err := LoadSigner(path)
		if err == nil { // a changed purpose is another key, never this one
			require.NotEqual(t, key.Purpose(), other.Purpose(), "byte %d", at)
			continue
		}
		require.ErrorIs(t, err, ErrKey)
	}
	require.NoError(t, os.WriteFile(path, append(whole, '\n'), 0o600))
	_, err = LoadSigner(path)
	require.ErrorIs(t, err, ErrKey)
	require.NoError(t, os.WriteFile(path, make([]byte, maxKeyFile+1), 0o600))
	_, err = LoadSigner(path)
	require.ErrorIs(t, err, ErrKey)
	require.NoError(t, os.WriteFile(path, whole, 0o600))
	require.NoError(t, os.Chmod(path, 0o644))
	_, err = LoadSigner(path)
	require.ErrorIs(t, err, ErrExposed)
	_, err = LoadSigner(filepath.Dir(path))
	require.ErrorIs(t, err, ErrKey)
	_, err = LoadSigner(path + ".missing")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NotContains(t, err.Error(), path)
}

func TestSealing(t *testing.T) {
	s, err := newSealer(make([]byte, 16), rand.Reader)
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		aad := rapid.SliceOf(rapid.Byte()).Draw(t, "aad")
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		sealed, err := s.Seal([]byte("dst"), aad, plain)
		require.NoError(t, err)
		require.Len(t, sealed, 3+len(plain)+SealOverhead)
		sealed = sealed[3:]
		got, err := s.Open([]byte("dst"), aad, sealed)
		require.NoError(t, err)
		require.Equal(t, append([]byte("dst"), plain...), got)
		bad := bytes.Clone(sealed)
		bad[rapid.IntRange(0, len(bad)-1).Draw(t, "at")] ^= 1
		_, err = s.Open(nil, aad, bad)
		require.ErrorIs(t, err, ErrOpen)
		_, err = s.Open(nil, append(aad, 0), sealed)
		require.ErrorIs(t, err, ErrOpen)
		_, err = s.Open(nil, aad, sealed[:rapid.IntRange(0, len(sealed)-1).Draw(t, "cut")])
		require.ErrorIs(t, err, ErrOpen)
	})
	for _, n := range []int{0, 15, 17, 32} {
		_, err := newSealer(make([]byte, n), rand.Reader)
		require.ErrorIs(t, err, ErrKey)
	}
}

// Room in dst is used, and what lies behind dst is not read.
func TestSealIntoRoom(t *testing.T) {
	s, err := newSealer(make([]byte, 16), rand.Reader)
	require.NoError(t, err)
	room := bytes.Repeat([]byte{0xee}, 100)
	sealed, err := s.Seal(room[:0], nil, []byte("plain"))
	require.NoError(t, err)
	got, err := s.Open(nil, nil, sealed)
	require.NoError(t, err)
	require.Equal(t, "plain", string(got))
}

func TestConcurrentUse(t *testing.T) {
	r := open(t, t.TempDir(), Options{Rand: bytes.NewReader(bytes.Repeat([]byte{1, 2, 3, 5, 8}, 100_000))})
	seal, err := r.Sealer(Seal, "s")
	require.NoError(t, err)
	mac, err := r.MAC(Subject, "s")
	require.NoError(t, err)
	sign, err := r.Signer(Request, "s")
	require.NoError(t, err)
	want := mac.Sum(nil, []byte("a"), []byte("b"))
	bad := make([]int, 8)
	var wg sync.WaitGroup
	for w := range bad {
		wg.Go(func() {
			for range 50 {
				sealed, err := seal.Seal(nil, nil, want)
				plain, err2 := seal.Open(nil, nil, sealed)
				sig, err3 := sign.Sign(want)
				ok := err == nil && err2 == nil && err3 == nil && bytes.Equal(plain, want) &&
					sign.Public().Verify(Request, want, sig) && bytes.Equal(want, mac.Sum(nil, []byte("a"), []byte("b")))
				if !ok {
					bad[w]++
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, make([]int, 8), bad)
}

func TestMACSeparatesParts(t *testing.T) {
	m, err := newMAC(make([]byte, 32))
	require.NoError(t, err)
	require.NotEqual(t, m.Sum(nil, []byte("ab"), []byte("c")), m.Sum(nil, []byte("a"), []byte("bc")))
	require.NotEqual(t, m.Sum(nil), m.Sum(nil, nil))
	for _, n := range []int{0, 31, 33} {
		_, err := newMAC(make([]byte, n))
		require.ErrorIs(t, err, ErrKey)
	}
}

func FuzzParsePublicKey(f *testing.F) {
	f.Add(generate(f, Approval).Public().String())
	f.Fuzz(func(t *testing.T, text string) {
		if k, err := ParsePublicKey(text); err == nil {
			if again, err := ParsePublicKey(k.String()); err != nil || again != k {
				t.Fatal("does not round trip")
			}
		}
	})
}

func FuzzParseKeyFile(f *testing.F) {
	key := generate(f, Approval)
	k := &keyFile{Type: typeSM2, Purpose: Approval, Public: key.Public().String(), secret: key.raw()}
	data, err := k.encode(nil)
	require.NoError(f, err)
	f.Add(data)
	kek, err := newSealer(make([]byte, 16), rand.Reader)
	require.NoError(f, err)
	wrapped, err := k.encode(kek)
	require.NoError(f, err)
	f.Add(wrapped)
	f.Fuzz(func(t *testing.T, data []byte) {
		if k, err := parseKeyFile(data, kek); err == nil {
			_, _ = k.signer(rand.Reader)
		}
	})
}

func FuzzVerify(f *testing.F) {
	key := generate(f, Request)
	sig, err := key.Sign([]byte("m"))
	require.NoError(f, err)
	f.Add([]byte("m"), sig)
	f.Fuzz(func(t *testing.T, msg, other []byte) {
		if key.Public().Verify(Request, msg, other) && string(msg) != "m" {
			t.Fatal("a signature nobody made")
		}
	})
}

func BenchmarkSign(b *testing.B) {
	key := generate(b, Checkpoint)
	msg := make([]byte, 300)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = key.Sign(msg)
	}
}

func BenchmarkMAC(b *testing.B) {
	m, _ := newMAC(make([]byte, 32))
	dst, part := make([]byte, 0, 32), make([]byte, 18)
	b.ReportAllocs()
	for b.Loop() {
		m.Sum(dst, part)
	}
}

func BenchmarkSeal(b *testing.B) {
	s, _ := newSealer(make([]byte, 16), rand.Reader)
	dst, plain := make([]byte, 0, 400), make([]byte, 300)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = s.Seal(dst, nil, plain)
	}
}
