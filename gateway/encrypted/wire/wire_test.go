package wire

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/hetest"
)

type object interface {
	Bytes() ([]byte, error)
	SigningBytes() ([]byte, error)
	Hash() ([32]byte, error)
}

func samples() (*Approval, *Objection, *Answer) {
	q, p, o := [32]byte{1}, [32]byte{2}, [32]byte{3}
	return &Approval{Query: q, Plan: p, Openings: o, Holder: "exchange", Requester: "bank", Sealing: [32]byte{4}, Size: 9, Root: [32]byte{5}, Expiry: 7, Signature: []byte{6}},
		&Objection{Query: q, Plan: p, Holder: "exchange", Rule: "versions", Time: 7, Signature: []byte{6}},
		&Answer{Query: q, Plan: p, Openings: o, Holder: "exchange", Sealed: []byte{8}, Signature: []byte{6}}
}

func parse(kind int, b []byte) (object, error) {
	switch kind {
	case 0:
		return ParseApproval(b)
	case 1:
		return ParseObjection(b)
	}
	return ParseAnswer(b)
}

// Each object has one form: what is cut, lengthened or has any byte of its form changed is refused or
// is another object, whose hash or signature differs.
func TestOneFormForEachObject(t *testing.T) {
	a, o, s := samples()
	for kind, v := range []object{a, o, s} {
		b, err := v.Bytes()
		require.NoError(t, err)
		back, err := parse(kind, b)
		require.NoError(t, err)
		require.Equal(t, v, back)
		want, err := v.Hash()
		require.NoError(t, err)
		for n := range b {
			_, err := parse(kind, b[:n])
			require.Error(t, err)
		}
		_, err = parse(kind, append(bytes.Clone(b), 0))
		require.ErrorIs(t, err, ErrMalformed)
		for i := range len(b) * 8 {
			c := bytes.Clone(b)
			c[i/8] ^= 1 << (i % 8)
			other, err := parse(kind, c)
			if err != nil {
				continue
			}
			hash, err := other.Hash()
			require.NoError(t, err)
			again, err := other.Bytes()
			require.NoError(t, err)
			require.Equal(t, c, again, "one form")
			if i/8 < len(b)-1 { // the last byte is the signature, which is not in the hash
				require.NotEqual(t, want, hash, "byte %d", i/8)
			}
		}
		for other := range 3 {
			if other != kind {
				_, err := parse(other, b)
				require.ErrorIs(t, err, ErrMalformed)
			}
		}
	}
}

func TestInvalidObjectsAreNotWritten(t *testing.T) {
	a, o, s := samples()
	a.Holder, o.Rule, s.Sealed = "", "a\nb", nil
	for _, v := range []object{a, o, s} {
		_, err := v.Bytes()
		require.ErrorIs(t, err, ErrInvalid)
		_, err = v.SigningBytes()
		require.ErrorIs(t, err, ErrInvalid)
		_, err = v.Hash()
		require.ErrorIs(t, err, ErrInvalid)
	}
	a, _, _ = samples()
	a.Signature = nil
	_, err := a.Bytes()
	require.ErrorIs(t, err, ErrInvalid)
}

func TestMaterialHasOneForm(t *testing.T) {
	for _, multiply := range []bool{false, true} {
		p, err := he.InsecureTestParameters(6, multiply)
		require.NoError(t, err)
		set := hetest.New(t, hetest.Literal{Params: p})
		k := &Keys{Public: set.Public, Relin: set.Relin}
		b, err := k.Bytes(p)
		require.NoError(t, err)
		back, err := ParseKeys(p, b)
		require.NoError(t, err)
		require.Equal(t, k, back)
		for n := range b {
			_, err := ParseKeys(p, b[:n])
			require.Error(t, err)
		}
	}
	_, err := ParseProposal([]byte("YHSP\x01"))
	require.Error(t, err)
}

func TestSignedProposal(t *testing.T) {
	p := &Proposal{Signature: []byte{1}, Terms: &ceremony.Proposal{Use: ceremony.UseAdd, Datasets: []string{"d"}, Providers: []string{"p"}, Threshold: 2, Expiry: 1, Cap: 1, Authority: "a",
		Holders: []ceremony.Party{{Name: "x", Agent: [32]byte{1}, Sealing: [32]byte{2}}, {Name: "y", Agent: [32]byte{3}, Sealing: [32]byte{4}}, {Name: "z", Agent: [32]byte{5}, Sealing: [32]byte{6}}}}}
	b, err := p.Bytes()
	require.NoError(t, err)
	back, err := ParseProposal(b)
	require.NoError(t, err)
	require.Equal(t, p, back)
	for n := range b {
		_, err := ParseProposal(b[:n])
		require.Error(t, err)
	}
}

func FuzzParse(f *testing.F) {
	a, o, s := samples()
	for _, v := range []object{a, o, s} {
		b, err := v.Bytes()
		require.NoError(f, err)
		f.Add(b)
	}
	p, err := he.InsecureTestParameters(6, true)
	require.NoError(f, err)
	f.Add([]byte(proposalPrefix))
	f.Add([]byte(openingsPrefix + "\x00\x00\x00\x01\x00\x00\x00\x02ab"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for kind := range 3 {
			if v, err := parse(kind, b); err == nil {
				again, err := v.Bytes()
				require.NoError(t, err)
				require.Equal(t, b, again)
			}
		}
		if v, err := ParseProposal(b); err == nil {
			again, err := v.Bytes()
			require.NoError(t, err)
			require.Equal(t, b, again)
		}
		if v, err := ParseKeys(p, b); err == nil {
			again, err := v.Bytes(p)
			require.NoError(t, err)
			require.Equal(t, b, again)
		}
		if v, err := ParseOpenings(p, b); err == nil {
			again, err := MarshalOpenings(p, v)
			require.NoError(t, err)
			require.Equal(t, b, again)
		}
	})
}
