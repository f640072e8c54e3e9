package sm3lanes

import (
	"crypto/hmac"
	"hash"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm3"
	tjfoc "github.com/tjfoc/gmsm/sm3"
)

const (
	benchRows  = 1 << 12
	benchWidth = 18
)

// reset is one HMAC taken up again for each row; fresh makes one for each row.
func reset(newHash func() hash.Hash, key, dst, data []byte) {
	h := hmac.New(newHash, key)
	for i := range benchRows {
		h.Reset()
		h.Write(data[i*benchWidth : (i+1)*benchWidth])
		h.Sum(dst[i*Size : i*Size])
	}
}

func fresh(newHash func() hash.Hash, key, dst, data []byte) {
	for i := range benchRows {
		h := hmac.New(newHash, key)
		h.Write(data[i*benchWidth : (i+1)*benchWidth])
		h.Sum(dst[i*Size : i*Size])
	}
}

type way struct {
	name string
	run  func()
}

func ways(b *testing.B) []way {
	b.Helper()
	key, data := pattern(32), pattern(benchRows*benchWidth)
	dst := make([]byte, benchRows*Size)
	all := []way{}
	for _, e := range engines() {
		k := newKey(b, e, key)
		name := []string{"library", "eight", "sixteen"}[e]
		if e == best() {
			name = "lanes"
		}
		all = append(all, way{name, func() { k.MACStrided(dst, data, benchWidth) }})
	}
	return append(all,
		way{"emmansun", func() { reset(sm3.New, key, dst, data) }},
		way{"emmansun-new", func() { fresh(sm3.New, key, dst, data) }},
		way{"tjfoc", func() { reset(tjfoc.New, key, dst, data) }})
}

func BenchmarkHMAC(b *testing.B) {
	for _, w := range ways(b) {
		b.Run(w.name, func(b *testing.B) {
			for range b.N {
				w.run()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchRows), "ns/row")
		})
	}
}

// BenchmarkHMACRatio runs all ways in turns and reports how many times as long
// each takes as the lanes.
func BenchmarkHMACRatio(b *testing.B) {
	all := ways(b)
	spent := map[string]time.Duration{}
	for range b.N {
		for _, w := range all {
			start := time.Now()
			w.run()
			spent[w.name] += time.Since(start)
		}
	}
	for name, d := range spent {
		if name != "lanes" {
			b.ReportMetric(d.Seconds()/spent["lanes"].Seconds(), "x-"+name)
		}
	}
}
