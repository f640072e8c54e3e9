package lookup

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/hmac"
	"hash"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/stretchr/testify/require"
	tjsm3 "github.com/tjfoc/gmsm/sm3"
	tjsm4 "github.com/tjfoc/gmsm/sm4"
)

func copyIndex(t *testing.T, dir string) string {
	to := filepath.Join(t.TempDir(), "copy")
	require.NoError(t, os.CopyFS(to, os.DirFS(dir)))
	return to
}

func indexFiles(t *testing.T, dir string) []string {
	files, err := filepath.Glob(filepath.Join(dir, databaseName, "*"))
	require.NoError(t, err)
	out := []string{filepath.Join(dir, manifestName)}
	for _, f := range files {
		if filepath.Base(f) != lockName {
			out = append(out, f)
		}
	}
	return out
}

func refuseOpen(t *testing.T, dir string, want error) {
	t.Helper()
	_, err := Open(dir, personProgram(t), "household", "v", testKeys(t, "v"), 0)
	require.ErrorIs(t, err, want)
	require.NotContains(t, err.Error(), filepath.Dir(dir))
}

func TestOpen_RefusesChangedFiles(t *testing.T) {
	dir, _, err := buildPeople(t, personProgram(t), "v", someRows, nil)
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(5, 6))
	for i, f := range indexFiles(t, dir) {
		whole, err := os.ReadFile(f)
		require.NoError(t, err)
		change := func(b []byte) {
			to := copyIndex(t, dir)
			require.NoError(t, os.WriteFile(indexFiles(t, to)[i], b, 0o600))
			refuseOpen(t, to, ErrCorrupt)
		}
		for range 12 {
			if len(whole) == 0 {
				break
			}
			b := bytes.Clone(whole)
			b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
			change(b)
			change(whole[:rng.IntN(len(whole))])
		}
		change(append(bytes.Clone(whole), 0))
		to := copyIndex(t, dir)
		require.NoError(t, os.Remove(indexFiles(t, to)[i]))
		refuseOpen(t, to, ErrCorrupt)
	}
	to := copyIndex(t, dir)
	require.NoError(t, os.WriteFile(filepath.Join(to, databaseName, "000099.sst"), nil, 0o600))
	refuseOpen(t, to, ErrCorrupt)
	to = copyIndex(t, dir)
	require.NoError(t, os.Mkdir(filepath.Join(to, databaseName, "more"), 0o700))
	refuseOpen(t, to, ErrCorrupt)
}

func TestOpen_RefusesForeignIndexes(t *testing.T) {
	p, keys := personProgram(t), testKeys(t, "v")
	dir, _, err := buildPeople(t, p, "v", someRows, nil)
	require.NoError(t, err)
	other := append([]Predicate{}, persons...)
	other[2].Value = "19"
	q, err := Compile(other, personSchema, opaque)
	require.NoError(t, err)
	require.NotEqual(t, p.Digest(), q.Digest())

	_, err = Open(dir, p, "housing", "v", keys, 0)
	require.ErrorIs(t, err, ErrForeign)
	_, err = Open(dir, p, "household", "w", keys, 0)
	require.ErrorIs(t, err, ErrForeign)
	_, err = Open(dir, q, "household", "v", keys, 0)
	require.ErrorIs(t, err, ErrForeign)
	_, err = Open(dir, p, "household", "v", testKeys(t, "w"), 0)
	require.ErrorIs(t, err, ErrCorrupt)
	refuseOpen(t, filepath.Join(t.TempDir(), "none"), ErrCorrupt)
	ix, err := Open(dir, p, "household", "v", keys, 0)
	require.NoError(t, err)
	require.NoError(t, ix.Close())
}

func TestOpen_RefusesRecordsOfAnotherBuild(t *testing.T) {
	p := personProgram(t)
	one, _, err := buildPeople(t, p, "v", someRows, nil)
	require.NoError(t, err)
	two, _, err := buildPeople(t, p, "v", someRows, nil)
	require.NoError(t, err)
	mixed := copyIndex(t, one)
	require.NoError(t, os.RemoveAll(filepath.Join(mixed, databaseName)))
	require.NoError(t, os.CopyFS(filepath.Join(mixed, databaseName), os.DirFS(filepath.Join(two, databaseName))))
	refuseOpen(t, mixed, ErrCorrupt)
}

// TestLookup_FilesChangedWhileOpen damages a table under an open index: every
// answer is the right one or an error, and a present subject is never absent.
func TestLookup_FilesChangedWhileOpen(t *testing.T) {
	rows := make([]person, 2000)
	for i := range rows {
		rows[i] = person{id: numbered(i), age: i % 36}
	}
	p := personProgram(t)
	dir, _, err := buildPeople(t, p, "v", rows, nil)
	require.NoError(t, err)
	ix, err := Open(dir, p, "household", "v", testKeys(t, "v"), 1)
	require.NoError(t, err)
	tables, err := filepath.Glob(filepath.Join(dir, databaseName, "*.sst"))
	require.NoError(t, err)
	require.Len(t, tables, 1)
	f, err := os.OpenFile(tables[0], os.O_RDWR, 0)
	require.NoError(t, err)
	b, err := os.ReadFile(tables[0])
	require.NoError(t, err)
	for at := 0; at < len(b)/2; at += 16 << 10 {
		_, err = f.WriteAt([]byte{^b[at]}, int64(at))
		require.NoError(t, err)
	}
	require.NoError(t, f.Close())
	refused := 0
	for i := 0; i < len(rows); i += 7 {
		a, err := ix.Lookup(context.Background(), &Query{Predicate: 2, Subject: []byte(numbered(i))})
		if err != nil {
			require.ErrorIs(t, err, ErrCorrupt)
			require.NotContains(t, err.Error(), dir)
			refused++
			continue
		}
		require.Equal(t, map[bool]Answer{true: Yes, false: No}[i%36 >= 18], a)
	}
	require.Positive(t, refused)
	require.NoError(t, ix.Close())
}

// TestFormat_SecondOpinion reads an index with another implementation of SM3
// and SM4, from the description in the package comment alone.
func TestFormat_SecondOpinion(t *testing.T) {
	dir, _, err := buildPeople(t, personProgram(t), "v", someRows, nil)
	require.NoError(t, err)
	mac := func(key []byte, msg string) []byte {
		h := hmac.New(func() hash.Hash { return tjsm3.New() }, key)
		h.Write([]byte(msg))
		return h.Sum(nil)
	}
	master := make([]byte, 32)
	copy(master, []byte{1, 2, 3})
	macKey := mac(master, "\x00\x00\x00\x01\x00\x00\x00\x12yumen/lookup/mac/1\x00\x00\x00\x01v")
	sealKey := mac(master, "\x00\x00\x00\x01\x00\x00\x00\x13yumen/lookup/seal/1\x00\x00\x00\x01v")[:16]
	block, err := tjsm4.NewCipher(sealKey)
	require.NoError(t, err)
	gcm, err := cipher.NewGCM(block)
	require.NoError(t, err)

	m, err := readManifest(dir, testKeys(t, "v"))
	require.NoError(t, err)
	key := mac(macKey, "\x00\x02s1\x00\x09household\x00\x06opaque\x00\x01a")[:16]
	context := tjsm3.Sm3Sum([]byte("\x00\x00\x00\x15yumen/lookup/record/1\x00\x00\x00\x09household\x00\x00\x00\x01v" +
		"\x00\x00\x00\x20" + string(m.Program) + "\x00\x00\x00\x10" + string(m.BuildID)))

	db, err := pebble.Open(filepath.Join(dir, databaseName), &pebble.Options{ReadOnly: true})
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	value, closer, err := db.Get(key)
	require.NoError(t, err)
	defer func() { require.NoError(t, closer.Close()) }()
	require.Len(t, value, 12+48+16)
	clear, err := gcm.Open(nil, value[:12], value[12:], append(bytes.Clone(key), context...))
	require.NoError(t, err)
	name := mac(macKey, "\x00\x02i1\x00\x09household\x00\x06opaque"+string(key)+"\x00\x04name\x00\x09王小明")[:16]
	phone := mac(macKey, "\x00\x02i1\x00\x09household\x00\x06opaque"+string(key)+"\x00\x05phone\x00\x0b13800138000")[:16]
	want := append([]byte{1, flagIdentity, 0, 0, 0, 0, 0, 0, 0b1111, 0, 0, 0, 0, 0, 0, 0}, append(name, phone...)...)
	require.Equal(t, want, clear)
}

func TestFormat_RecordsAreOfOneLength(t *testing.T) {
	dir, _, err := buildPeople(t, personProgram(t), "v", someRows, nil)
	require.NoError(t, err)
	db, err := pebble.Open(filepath.Join(dir, databaseName), &pebble.Options{ReadOnly: true})
	require.NoError(t, err)
	it, err := db.NewIter(nil)
	require.NoError(t, err)
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		n++
		require.Len(t, it.Key(), 16)
		require.Len(t, it.Value(), sealedLen(maxRecordSize))
	}
	require.Equal(t, 4, n)
	require.NoError(t, it.Close())
	require.NoError(t, db.Close())
}

func TestRecord_WithheldHoldsNoOutcome(t *testing.T) {
	r := record{flags: flagWithheld | flagIdentity, outcomes: ^uint64(0)}
	r.digests[0] = 1
	b := bytes.Repeat([]byte{0xaa}, maxRecordSize)
	r.put(b)
	require.Equal(t, append([]byte{recordForm, flagWithheld}, make([]byte, maxRecordSize-2)...), b)
	var back record
	require.NoError(t, back.get(b))
	require.Equal(t, record{flags: flagWithheld}, back)
	require.ErrorIs(t, back.get(b[:8]), ErrCorrupt)
	b[0] = 2
	require.ErrorIs(t, back.get(b), ErrCorrupt)
}

func FuzzManifest(f *testing.F) {
	keys := testKeys(f, "v")
	dir, _, err := buildPeople(f, personProgram(f), "v", someRows, nil)
	require.NoError(f, err)
	good, err := os.ReadFile(filepath.Join(dir, manifestName))
	require.NoError(f, err)
	nonce := make([]byte, NonceSize)
	f.Add(good, false)
	f.Add([]byte(manifestMagic), false)
	f.Add([]byte(`{"dataset":"d","build":"AAAAAAAAAAAAAAAAAAAAAA=="}`), true)
	f.Add([]byte(`{"files":[{}],"more":1}`), true)
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		if seal { // also what is sealed by the right keys is parsed with care
			b = keys.Seal(append([]byte(manifestMagic), nonce...), nonce, b, []byte(manifestForm))
		}
		m, err := decodeManifest(b, keys)
		if err != nil {
			require.ErrorIs(t, err, ErrCorrupt)
			return
		}
		require.Len(t, m.BuildID, buildIDSize)
		require.True(t, seal || m.Dataset == "household", "only what the keys have sealed is read")
	})
}
