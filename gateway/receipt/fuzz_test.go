package receipt

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/audit"
)

func FuzzParseReceipt(f *testing.F) {
	f.Add(readKnown(f).single)
	f.Add([]byte(`{"checkpoint":"","entry":"` + strings.Repeat("AAAA", 26) + `AAA=","format":1,"index":0,"proof":[],"statement":{}}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := ParseReceipt(in)
		if err != nil {
			return
		}
		out, err := r.Append(nil)
		require.NoError(t, err)
		require.Equal(t, string(in), string(out))
		require.NoError(t, RequireCanonical(in))
	})
}

func FuzzParseTrust(f *testing.F) {
	file := readKnown(f).trust
	f.Add(file)
	trust, err := ParseTrust(file)
	require.NoError(f, err)
	trust.Builds = []string{"a", "b"}
	file, err = trust.Marshal()
	require.NoError(f, err)
	f.Add(file)
	f.Fuzz(func(t *testing.T, in []byte) {
		trust, err := ParseTrust(in)
		if err != nil {
			require.ErrorIs(t, err, ErrTrust)
			return
		}
		out, err := trust.Marshal()
		require.NoError(t, err)
		require.Equal(t, string(in), string(out))
	})
}

// FuzzVerifyResult feeds result files to receipts of two kinds: none but the
// genuine ones may pass.
func FuzzVerifyResult(f *testing.F) {
	k := readKnown(f)
	set := k.set(f)
	genuine := map[string]bool{string(k.singleResult): true, string(k.batchResult): true}
	for i := range 3 {
		row, err := OpenRow(k.batchResult, i)
		require.NoError(f, err)
		genuine[string(row)] = true
	}
	for in := range genuine {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, file := range [][]byte{k.single, k.batch} {
			report := Verify(file, in, set, noon())
			require.True(t, !report.OK() || genuine[string(in)])
		}
		if row, err := OpenRow(in, 0); err == nil {
			require.NoError(t, RequireCanonical(row))
		}
	})
}

// FuzzVerifyReceipt: of all receipts only the genuine one holds.
func FuzzVerifyReceipt(f *testing.F) {
	k := readKnown(f)
	set := k.set(f)
	f.Add(k.single)
	f.Fuzz(func(t *testing.T, in []byte) {
		report := Verify(in, k.singleResult, set, noon())
		require.Equal(t, string(in) == string(k.single), report.OK())
		require.NotEmpty(t, report.Text("zh"))
	})
}

func TestParseReceiptIsStrict(t *testing.T) {
	w := newWorld(t)
	raw, _ := w.answer()
	file := string(raw)
	r, err := ParseReceipt(raw)
	require.NoError(t, err)
	entry := base64.StdEncoding.EncodeToString(r.Entry)
	for name, bad := range map[string]string{
		"loose base64":   strings.Replace(file, entry, entry[:len(entry)-2]+"B=", 1),
		"line in base64": strings.Replace(file, entry, entry[:40]+`\n`+entry[40:], 1),
		"no padding":     strings.Replace(file, entry, strings.TrimRight(entry, "="), 1),
		"index":          strings.Replace(file, `"index":5`, `"index":-5`, 1),
		"index text":     strings.Replace(file, `"index":5`, `"index":"5"`, 1),
		"format":         strings.Replace(file, `,"format":1,"index"`, `,"format":2,"index"`, 1),
		"unknown":        strings.Replace(file, `,"format":1,"index"`, `,"extra":0,"format":1,"index"`, 1),
		"proof":          strings.Replace(file, `"proof":[`, `"proof":[,`, 1),
		"short hash":     strings.Replace(file, `"proof":[`, `"proof":["AAAA",`, 1),
		"escape":         strings.Replace(file, worldOrigin, strings.Replace(worldOrigin, "/", `\/`, 1), 1),
		"many":           strings.Replace(file, `"proof":[`, `"proof":[`+strings.Repeat(`"`+strings.Repeat("A", 43)+`=",`, 65), 1),
	} {
		require.NotEqual(t, file, bad, name)
		_, err := ParseReceipt([]byte(bad))
		require.Error(t, err, name)
	}
	_, err = (&Receipt{Statement: []byte("{}"), Entry: make([]byte, 79)}).Append(nil)
	require.ErrorIs(t, err, ErrReceipt)
	_, err = (&Receipt{Statement: []byte("{}"), Entry: make([]byte, 80), Checkpoint: []byte("\xff")}).Append(nil)
	require.ErrorIs(t, err, ErrReceipt)
}

func TestResultFilesRefuseWhatCannotBeVerified(t *testing.T) {
	id := sample().ID
	good := &Opening{Value: []byte(`{}`)}
	for _, bad := range []string{``, `{"b":1,"a":1}`, `1.5`, ` {}`} {
		_, err := AppendResult(nil, id, good, &Opening{Value: []byte(bad)})
		require.ErrorIs(t, err, ErrResult)
		_, err = AppendBatch(nil, id, &Seed{}, []byte(bad), rows(1))
		require.ErrorIs(t, err, ErrResult)
		_, err = AppendBatch(nil, id, &Seed{}, []byte(`{}`), func(yield func([]byte, []byte) bool) { yield([]byte(bad), []byte(`1`)) })
		require.ErrorIs(t, err, ErrResult)
	}
	_, err := AppendResult(nil, "x", good, good)
	require.ErrorIs(t, err, ErrResult)
	_, err = AppendBatch(nil, id, &Seed{}, []byte(`{}`), rows(0))
	require.ErrorIs(t, err, ErrRows)
	file, err := AppendBatch(nil, id, &Seed{}, []byte(`{}`), rows(2))
	require.NoError(t, err)
	for _, index := range []int{-1, 2} {
		_, err = OpenRow(file, index)
		require.ErrorIs(t, err, ErrRows)
	}
	_, err = OpenRow(file[1:], 0)
	require.Error(t, err)
}

func BenchmarkReceiptAppend(b *testing.B) {
	w := newWorld(b)
	s := w.statement()
	r := w.release(s)
	r.Proof = append(r.Proof, make([]audit.Hash, 17)...)
	buf := make([]byte, 0, 8192)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Append(buf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	w := newWorld(b)
	file, result := w.answer()
	set := w.set()
	for b.Loop() {
		if !Verify(file, result, set, noon()).OK() {
			b.Fatal("does not verify")
		}
	}
}

func BenchmarkVerifyBatch(b *testing.B) {
	w := newWorld(b)
	file, result := w.batch(100_000)
	set := w.set()
	b.SetBytes(int64(len(result)))
	for b.Loop() {
		if !Verify(file, result, set, noon()).OK() {
			b.Fatal("does not verify")
		}
	}
}
