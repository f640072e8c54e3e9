package keyring

import (
	"bytes"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
	"github.com/stretchr/testify/require"
	tjsm2 "github.com/tjfoc/gmsm/sm2"
	tjsm3 "github.com/tjfoc/gmsm/sm3"
	tjsm4 "github.com/tjfoc/gmsm/sm4"
	"pgregory.net/rapid"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

// GB/T 32918.5-2017, annex A.2: digital signature.
func TestKnownSM2(t *testing.T) {
	d := unhex(t, "3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
	point := "04" + "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020" +
		"CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
	sig := unhex(t, "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"+
		"B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA")
	pub, err := ParsePublicKey(point)
	require.NoError(t, err)
	key, err := newSigner(Approval, d, bytes.NewReader(nil))
	require.NoError(t, err)
	require.Equal(t, pub, key.Public())

	digest, err := sm2.CalculateSM2Hash(&key.k.private.PublicKey, []byte("message digest"), []byte("1234567812345678"))
	require.NoError(t, err)
	require.Equal(t, unhex(t, "F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640"), digest)
	der, err := derFromRaw(sig)
	require.NoError(t, err)
	require.True(t, sm2.VerifyASN1(&key.k.private.PublicKey, digest, der))
	back, err := rawFromDER(der)
	require.NoError(t, err)
	require.Equal(t, sig, back)
	require.True(t, secondOpinion(pub, []byte("message digest"), "1234567812345678", sig))
}

// secondOpinion verifies with tjfoc/gmsm.
func secondOpinion(pub PublicKey, msg []byte, uid string, sig []byte) (ok bool) {
	defer func() { ok = ok && recover() == nil }()
	p := &tjsm2.PublicKey{Curve: tjsm2.P256Sm2(), X: new(big.Int).SetBytes(pub.point[1:33]), Y: new(big.Int).SetBytes(pub.point[33:])}
	return tjsm2.Sm2Verify(p, msg, []byte(uid), new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
}

// GB/T 32905-2016, annex A.
func TestKnownSM3(t *testing.T) {
	for msg, want := range map[string]string{
		"abc":                      "66c7f0f4 62eeedd9 d1f2d46b dc10e4e2 4167c487 5cf2f7a2 297da02b 8f4ba8e0",
		strings.Repeat("abcd", 16): "debe9ff9 2275b8a1 38604889 c18e5a4d 6fdb70e5 387e5765 293dcba3 9c0c5732",
	} {
		sum := sm3.Sum([]byte(msg))
		require.Equal(t, unhex(t, want), sum[:])
		require.Equal(t, unhex(t, want), tjsm3.Sm3Sum([]byte(msg)))
	}
}

// GB/T 32907-2016, annex A: one block, and a million encryptions.
func TestKnownSM4(t *testing.T) {
	key := unhex(t, "0123456789ABCDEFFEDCBA9876543210")
	c, err := sm4.NewCipher(key)
	require.NoError(t, err)
	b := bytes.Clone(key)
	c.Encrypt(b, b)
	require.Equal(t, unhex(t, "681EDF34D206965E86B3E94F536E4246"), b)
	other, err := tjsm4.NewCipher(key)
	require.NoError(t, err)
	second := make([]byte, 16)
	other.Encrypt(second, key)
	require.Equal(t, b, second)
	for range 999_999 {
		c.Encrypt(b, b)
	}
	require.Equal(t, unhex(t, "595298C7C6FD271F0402F804C33D3F66"), b)
}

// RFC 8998, annex A.1: SM4-GCM.
func TestKnownSM4GCM(t *testing.T) {
	nonce := unhex(t, "00001234567800000000ABCD")
	plain := unhex(t, "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBCCCCCCCCCCCCCCCCDDDDDDDDDDDDDDDD"+
		"EEEEEEEEEEEEEEEEFFFFFFFFFFFFFFFFEEEEEEEEEEEEEEEEAAAAAAAAAAAAAAAA")
	aad := unhex(t, "FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
	s, err := newSealer(unhex(t, "0123456789ABCDEFFEDCBA9876543210"), bytes.NewReader(nonce))
	require.NoError(t, err)
	sealed, err := s.Seal(nil, aad, plain)
	require.NoError(t, err)
	require.Equal(t, unhex(t, "00001234567800000000ABCD"+
		"17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"+
		"D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"+
		"83DE3541E4C2B58177E065A9BF7B62EC"), sealed)
	got, err := s.Open(nil, aad, sealed)
	require.NoError(t, err)
	require.Equal(t, plain, got)
	_, err = s.Seal(nil, aad, plain)
	require.ErrorContains(t, err, "nonce", "no randomness, no sealing")
}

// HMAC (RFC 2104) written out over the other SM3, with the length prefixes.
func TestMACAgreesWithRFC2104(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key")
		parts := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 200), 0, 4).Draw(t, "parts")
		m, err := newMAC(key)
		require.NoError(t, err)
		inner, outer := bytes.Repeat([]byte{0x36}, 64), bytes.Repeat([]byte{0x5c}, 64)
		for i := range key {
			inner[i] ^= key[i]
			outer[i] ^= key[i]
		}
		for _, p := range parts {
			inner = append(inner, 0, 0, 0, 0, 0, 0, 0, byte(len(p)))
			inner = append(inner, p...)
		}
		want := tjsm3.Sm3Sum(append(outer, tjsm3.Sm3Sum(inner)...))
		require.Equal(t, want, m.Sum(nil, parts...))
		require.Equal(t, append([]byte("dst"), want...), m.Sum([]byte("dst"), parts...))
	})
}
