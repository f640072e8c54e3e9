package keyring

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMaskKeysDifferInEveryPart(t *testing.T) {
	r := open(t, t.TempDir(), Options{})
	seen := map[string]bool{}
	for _, c := range [][4]string{
		{"pseudonym", "s", "a", "k"}, {"fpe", "s", "a", "k"}, {"pseudonym", "s2", "a", "k"}, {"pseudonym", "s", "b", "k"},
		{"pseudonym", "s", "a", "k2"}, {"pseudonym", "sa", "", "k"}, {"pseudonym", "", "sa", "k"},
	} {
		key, err := r.MaskKey(c[0], c[1], c[2], c[3])
		require.NoError(t, err)
		require.Len(t, key, 32)
		require.False(t, seen[string(key)], c)
		seen[string(key)] = true
		again, err := r.MaskKey(c[0], c[1], c[2], c[3])
		require.NoError(t, err)
		require.Equal(t, key, again)
	}
	lineage, err := r.LineageKey()
	require.NoError(t, err)
	require.False(t, seen[string(lineage)])
}

func TestMaskKeyDestroyedAloneAndForGood(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, Options{})
	_, err := r.MaskKey("pseudonym", "s", "a", "k")
	require.NoError(t, err)
	other, err := r.MaskKey("pseudonym", "s", "b", "k")
	require.NoError(t, err)
	require.NoError(t, r.Destroy(Pseudonym, MaskKeyName("s", "a", "k")))
	for _, ring := range []*Ring{r, open(t, dir, Options{})} {
		for _, technique := range []string{"pseudonym", "fpe"} {
			_, err = ring.MaskKey(technique, "s", "a", "k")
			require.ErrorIs(t, err, ErrDestroyed)
		}
		still, err := ring.MaskKey("pseudonym", "s", "b", "k")
		require.NoError(t, err)
		require.Equal(t, other, still)
	}
}

func TestMaskKeysInProductionAreImported(t *testing.T) {
	r := open(t, t.TempDir(), Options{Production: true, KEK: make([]byte, 16)})
	_, err := r.MaskKey("pseudonym", "s", "a", "k")
	require.ErrorIs(t, err, ErrSelfMade)
	_, err = r.LineageKey()
	require.ErrorIs(t, err, ErrSelfMade)
	require.NoError(t, r.ImportMACKey(Pseudonym, MaskKeyName("s", "a", "k"), make([]byte, 32)))
	_, err = r.MaskKey("pseudonym", "s", "a", "k")
	require.NoError(t, err)
}

// Production makes no key of masked tables, takes an imported one, never a second, and none again that
// was destroyed.
func TestMaskKeyImportedInProduction(t *testing.T) {
	r := open(t, t.TempDir(), Options{Production: true})
	_, err := r.MaskKey("fpe", "s", "a", "k")
	require.ErrorIs(t, err, ErrSelfMade)
	_, err = r.LineageKey()
	require.ErrorIs(t, err, ErrSelfMade)
	material := make([]byte, 32)
	require.ErrorIs(t, r.ImportMaskKey("s", "a", "k", material[:31]), ErrKey)
	require.NoError(t, r.ImportMaskKey("s", "a", "k", material))
	require.NoError(t, r.ImportLineageKey(material))
	require.ErrorIs(t, r.ImportMaskKey("s", "a", "k", material), fs.ErrExist)
	require.ErrorIs(t, r.ImportLineageKey(material), fs.ErrExist)
	mine, err := r.MaskKey("fpe", "s", "a", "k")
	require.NoError(t, err)
	_, err = r.MaskKey("fpe", "s", "b", "k")
	require.ErrorIs(t, err, ErrSelfMade, "that of another recipient")
	require.NoError(t, r.ImportMaskKey("s", "b", "k", material))
	theirs, err := r.MaskKey("fpe", "s", "b", "k")
	require.NoError(t, err)
	require.NotEqual(t, mine, theirs, "the same 32 bytes give two recipients two keys")
	lineage, err := r.LineageKey()
	require.NoError(t, err)
	require.NotEqual(t, mine, lineage)
	require.NoError(t, r.Destroy(Pseudonym, MaskKeyName("s", "a", "k")))
	require.ErrorIs(t, r.ImportMaskKey("s", "a", "k", material), ErrDestroyed)
}
