package sm3lanes

import (
	"crypto/hmac"
	"testing"

	"github.com/emmansun/gmsm/sm3"
	"github.com/stretchr/testify/require"
)

func TestSmoke(t *testing.T) {
	key := []byte("0123456789abcdef0123456789abcdef")
	k, err := NewKey(key)
	require.NoError(t, err)
	data := make([]byte, 3000)
	for i := range data {
		data[i] = byte(i * 7)
	}
	for _, e := range []engine{library, eight, sixteen} {
		var off []int32
		for w := 0; w < 700; w += 3 {
			off = append(off, int32(w))
			off = append(off, int32(w+w%131))
			off = append(off[:len(off)-1], int32(w+w%3))
		}
		off = []int32{0}
		for at, i := 0, 0; at < 2900; i++ {
			at = min(at+i*5%97, 2900)
			off = append(off, int32(at))
			if i > 200 {
				break
			}
		}
		dst := make([]byte, 32*(len(off)-1))
		k.engine = e
		k.MAC(dst, data, off)
		for i := range off[1:] {
			h := hmac.New(sm3.New, key)
			h.Write(data[off[i]:off[i+1]])
			require.Equal(t, h.Sum(nil), dst[32*i:32*i+32], "%d %d", e, i)
		}
		digests(e, nil, dst, data, off)
		for i := range off[1:] {
			h := sm3.Sum(data[off[i]:off[i+1]])
			require.Equal(t, h[:], dst[32*i:32*i+32], "%d %d", e, i)
		}
	}
}

func BenchmarkX(b *testing.B) {
	k, _ := NewKey([]byte("0123456789abcdef0123456789abcdef"))
	data := make([]byte, 18*4096)
	dst := make([]byte, 32*4096)
	for _, e := range []engine{library, eight, sixteen} {
		k.engine = e
		b.Run(string('a'+rune(e)), func(b *testing.B) {
			for range b.N {
				k.MACStrided(dst, data, 18)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4096, "ns/row")
		})
	}
}
