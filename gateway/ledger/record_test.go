package ledger

import (
	"bytes"
	"encoding/hex"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func scopeGen() *rapid.Generator[Scope] {
	return rapid.Custom(func(t *rapid.T) Scope {
		return Scope(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "scope"))
	})
}

func recordGen() *rapid.Generator[*Record] {
	return rapid.Custom(func(t *rapid.T) *Record {
		r := &Record{Serial: rapid.Uint64().Draw(t, "serial"), Body: rapid.SliceOf(rapid.Byte()).Draw(t, "body")}
		for range rapid.IntRange(0, 5).Draw(t, "charges") {
			r.Charges = append(r.Charges, Charge{
				Account: Account{
					Kind:   AccountKind(rapid.IntRange(int(Quota), int(UnitRho)).Draw(t, "kind")),
					Scope:  scopeGen().Draw(t, "scope"),
					Period: rapid.Int32().Draw(t, "period"),
				},
				Amount: rapid.Int64Min(1).Draw(t, "amount"),
			})
		}
		if rapid.Bool().Draw(t, "idem") {
			r.Idem = &Idem{
				Key: [16]byte(scopeGen().Draw(t, "key")), Request: [16]byte(scopeGen().Draw(t, "request")),
				Time: rapid.Int64().Draw(t, "time"),
			}
		}
		return r
	})
}

func TestRecordRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := recordGen().Draw(t, "record")
		b, err := r.AppendTo([]byte("before"))
		require.NoError(t, err)
		require.Equal(t, "before", string(b[:6]))
		back, err := ParseRecord(b[6:])
		require.NoError(t, err)
		require.Equal(t, r.Serial, back.Serial)
		require.Equal(t, r.Charges, back.Charges)
		require.Equal(t, r.Idem, back.Idem)
		require.True(t, bytes.Equal(r.Body, back.Body))
	})
}

// A log written today must be readable for ever: the form is pinned byte by byte.
func TestRecordKnownBytes(t *testing.T) {
	r := &Record{
		Serial:  0x0102030405060708,
		Charges: []Charge{{Account: Account{Kind: Attempts, Scope: Scope{1, 2, 3}, Period: -1}, Amount: 5}},
		Idem:    &Idem{Key: [16]byte{9}, Request: [16]byte{8}, Time: 7},
		Body:    []byte("body"),
	}
	b, err := r.AppendTo(nil)
	require.NoError(t, err)
	require.Equal(t, "01"+"0102030405060708"+"00000001"+"01"+
		"02"+"01020300000000000000000000000000"+"ffffffff"+"0000000000000005"+
		"09000000000000000000000000000000"+"08000000000000000000000000000000"+"0000000000000007"+
		hex.EncodeToString([]byte("body")), hex.EncodeToString(b))
}

func TestRecordRefusesWhatIsNone(t *testing.T) {
	whole, err := (&Record{
		Charges: []Charge{{Account: Account{Kind: Quota}, Amount: 1}},
		Idem:    &Idem{Time: 1},
	}).AppendTo(nil)
	require.NoError(t, err)
	for n := range whole {
		_, err := ParseRecord(whole[:n])
		require.ErrorIs(t, err, ErrRecord, "cut at %d", n)
	}
	change := func(at int, to byte) []byte {
		b := bytes.Clone(whole)
		b[at] = to
		return b
	}
	for name, b := range map[string][]byte{
		"empty":           nil,
		"version 0":       change(0, 0),
		"version 2":       change(0, 2),
		"idem mark 2":     change(13, 2),
		"forged count":    change(9, 0xff),
		"one charge more": change(12, 2),
		"kind 0":          change(14, 0),
		"kind 8":          change(14, 8),
		"amount 0":        change(14+28, 0),
		"amount negative": change(14+21, 0x80),
	} {
		_, err := ParseRecord(b)
		require.ErrorIs(t, err, ErrRecord, name)
	}
}

func TestRecordBoundsItsCharges(t *testing.T) {
	charges := make([]Charge, maxCharges+1)
	for i := range charges {
		charges[i] = Charge{Account: Account{Kind: Quota}, Amount: math.MaxInt64}
	}
	_, err := (&Record{Charges: charges}).AppendTo(nil)
	require.Error(t, err)
	b, err := (&Record{Charges: charges[1:]}).AppendTo(nil)
	require.NoError(t, err)
	back, err := ParseRecord(b)
	require.NoError(t, err)
	require.Len(t, back.Charges, maxCharges)
}

func FuzzParseRecord(f *testing.F) {
	for _, r := range []*Record{
		{}, {Serial: 1, Body: []byte("x")}, {Idem: &Idem{Time: -1}},
		{Charges: []Charge{{Account: Account{Kind: ConsentUse, Period: 2026}, Amount: 1}}, Idem: &Idem{}},
	} {
		b, err := r.AppendTo(nil)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 255, 255, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRecord(b)
		if err != nil {
			require.ErrorIs(t, err, ErrRecord)
			return
		}
		again, err := r.AppendTo(nil)
		require.NoError(t, err)
		require.True(t, bytes.Equal(b, again))
	})
}

func FuzzRestore(f *testing.F) {
	_, empty := New().Snapshot()
	f.Add(empty)
	l := New()
	apply(f, l, 5, &Record{Serial: 1, Charges: []Charge{{Account: quotaAccount(0), Amount: 3}}, Idem: &Idem{Key: [16]byte{1}}})
	_, state := l.Snapshot()
	f.Add(state)
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := Restore(b)
		if err != nil {
			require.ErrorIs(t, err, ErrRecord)
			return
		}
		_, once := l.Snapshot()
		again, err := Restore(once)
		require.NoError(t, err)
		require.Equal(t, l.Digest(), again.Digest())
	})
}
