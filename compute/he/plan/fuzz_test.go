package plan_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he/plan"
)

// parsed is an object with one canonical form.
type parsed interface{ Bytes() ([]byte, error) }

func fuzz[T parsed](f *testing.F, parse func([]byte) (T, error), seeds ...parsed) {
	for _, s := range seeds {
		b, err := s.Bytes()
		require.NoError(f, err)
		_, err = parse(b)
		require.NoError(f, err)
		f.Add(b)
		for _, bad := range [][]byte{b[:len(b)-1], append(append([]byte(nil), b...), 0), b[1:]} {
			_, err = parse(bad)
			require.ErrorIs(f, err, plan.ErrMalformed)
			f.Add(bad)
		}
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := parse(b)
		if err != nil {
			require.ErrorIs(t, err, plan.ErrMalformed)
			return
		}
		again, err := x.Bytes()
		require.NoError(t, err)
		require.Equal(t, b, again, "one object, one form")
	})
}

func FuzzParseManifest(f *testing.F) {
	c := newCity(f)
	c.manifest.Signature = []byte("signature")
	c.manifest.Changes = []plan.Change{{Manifest: [32]byte{1}, Subjects: 12}}
	fuzz(f, plan.ParseManifest, c.manifest, synthetic(c.keys, 10_000, 5))
}

func FuzzParseQuery(f *testing.F) {
	score := ask(plan.Score, plan.Column{Dataset: "people", Field: "age", Lane: "age", Weight: -3})
	groups := ask(plan.Histogram, col("sexes", "sex"))
	groups.Sections, groups.Groups, groups.Signature = []string{"east"}, []string{"m"}, []byte{1}
	fuzz(f, plan.ParseQuery, ask(plan.Sum, col("age", "age")), score, groups)
}

func FuzzParsePlan(f *testing.F) {
	c := newCity(f)
	fuzz(f, plan.ParsePlan,
		c.compile(f, ask(plan.GroupMean, col("bysex", "income"))), c.compile(f, ask(plan.KindCount, col("age", "age"))),
		c.compile(f, ask(plan.Variance, col("age", "age"), col("age2", "age"))))
}

// Every byte of the form matters: none can be changed to another accepted form of
// the same object.
func TestEveryByteIsUnderTheHash(t *testing.T) {
	c := newCity(t)
	b, err := c.manifest.Bytes()
	require.NoError(t, err)
	want, err := c.manifest.Hash()
	require.NoError(t, err)
	for i := 0; i < len(b)-4; i++ { // the last four say that there is no signature
		bad := append([]byte(nil), b...)
		bad[i] ^= 1
		m, err := plan.ParseManifest(bad)
		if err != nil {
			continue
		}
		hash, err := m.Hash()
		require.NoError(t, err)
		require.NotEqual(t, want, hash, "byte %d", i)
	}
}

func TestMerkleRootIsThatOfRFC6962(t *testing.T) {
	hashes := make([][32]byte, 40)
	for i := range hashes {
		hashes[i][0] = byte(i)
	}
	for n := range hashes {
		require.Equal(t, slow(hashes[:n]), plan.MerkleRoot(hashes[:n]), "%d leaves", n)
	}
}
