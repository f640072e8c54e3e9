package receipt

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// update writes the known files anew, under a new key.
var update = flag.Bool("update", false, "write testdata/known anew")

// known is a fixed set of files: what was written once must verify for ever.
type known struct {
	single, singleResult, batch, batchResult, row, trust []byte
}

func (k *known) files() map[string]*[]byte {
	return map[string]*[]byte{
		"answer.receipt.json": &k.single, "answer.result.json": &k.singleResult, "batch.receipt.json": &k.batch,
		"batch.result.json": &k.batchResult, "batch.row1.json": &k.row, "trust.json": &k.trust,
	}
}

func readKnown(t require.TestingT) *known {
	k := &known{}
	for name, b := range k.files() {
		var err error
		*b, err = os.ReadFile(filepath.Join("testdata", "known", name))
		require.NoError(t, err)
	}
	return k
}

func (k *known) set(t require.TestingT) *TrustSet {
	return trustSet(t, map[string][]byte{"trust.json": k.trust})
}

func TestKnownFilesVerify(t *testing.T) {
	if *update {
		w, k := newWorld(t), &known{}
		k.trust = w.file
		k.single, k.singleResult = w.answer()
		k.batch, k.batchResult = w.batch(3)
		var err error
		k.row, err = OpenRow(k.batchResult, 1)
		require.NoError(t, err)
		for name, b := range k.files() {
			require.NoError(t, os.WriteFile(filepath.Join("testdata", "known", name), *b, 0o600))
		}
	}
	k := readKnown(t)
	for _, pair := range [][2][]byte{{k.single, k.singleResult}, {k.batch, k.batchResult}, {k.batch, k.row}} {
		report := Verify(pair[0], pair[1], k.set(t), noon())
		require.True(t, report.OK(), report.Text("en"))
	}
	row, err := OpenRow(k.batchResult, 1)
	require.NoError(t, err)
	require.Equal(t, k.row, row)
}
