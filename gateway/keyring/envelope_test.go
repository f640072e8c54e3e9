package keyring

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func envelopeKeys(t require.TestingT) SignerKey {
	k, err := GenerateSigner(Envelope, rand.Reader)
	require.NoError(t, err)
	return k
}

func TestAnEnvelopeIsReadByItsReceiverAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k, other := envelopeKeys(t), envelopeKeys(t)
		plain := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "plain")
		aad := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "aad")
		sealed, err := SealTo(k.Public(), aad, plain, rand.Reader)
		require.NoError(t, err)
		require.Len(t, sealed, envelopeMin+len(plain))

		got, err := k.OpenEnvelope(aad, sealed)
		require.NoError(t, err)
		require.True(t, bytes.Equal(plain, got))
		_, err = other.OpenEnvelope(aad, sealed)
		require.ErrorIs(t, err, ErrOpen)
		_, err = k.OpenEnvelope(append(aad, 0), sealed)
		require.ErrorIs(t, err, ErrOpen)
	})
}

func TestEveryByteOfAnEnvelopeCounts(t *testing.T) {
	k := envelopeKeys(t)
	sealed, err := SealTo(k.Public(), []byte("aad"), []byte("a value"), rand.Reader)
	require.NoError(t, err)
	for i := range sealed {
		bent := bytes.Clone(sealed)
		bent[i] ^= 1
		_, err := k.OpenEnvelope([]byte("aad"), bent)
		require.ErrorIs(t, err, ErrOpen, "byte %d", i)
		_, err = k.OpenEnvelope([]byte("aad"), sealed[:i])
		require.ErrorIs(t, err, ErrOpen, "length %d", i)
	}
}

func TestEnvelopesAndSignaturesHaveKeysOfTheirOwn(t *testing.T) {
	_, err := envelopeKeys(t).Sign([]byte("m"))
	require.ErrorIs(t, err, ErrKey)
	signer, err := GenerateSigner(Agent, rand.Reader)
	require.NoError(t, err)
	sealed, err := SealTo(signer.Public(), nil, []byte("m"), rand.Reader)
	require.NoError(t, err)
	_, err = signer.OpenEnvelope(nil, sealed)
	require.ErrorIs(t, err, ErrKey)

	_, err = SealTo(PublicKey{}, nil, []byte("m"), rand.Reader)
	require.ErrorIs(t, err, ErrKey)
	_, err = SealTo(signer.Public(), nil, make([]byte, MaxEnvelope+1), rand.Reader)
	require.ErrorIs(t, err, ErrTooLong)
	_, err = SealTo(signer.Public(), nil, []byte("m"), broken{})
	require.ErrorIs(t, err, errBroken)
	_, err = SignerKey{}.OpenEnvelope(nil, sealed)
	require.ErrorIs(t, err, ErrKey)
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBroken }

func FuzzOpenEnvelope(f *testing.F) {
	k := envelopeKeys(f)
	sealed, err := SealTo(k.Public(), nil, []byte("seed"), rand.Reader)
	require.NoError(f, err)
	f.Add(sealed)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if bytes.Equal(b, sealed) {
			return
		}
		_, err := k.OpenEnvelope(nil, b)
		require.Error(t, err)
	})
}
