package dateshift

import (
	"crypto/hmac"
	"fmt"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/emmansun/gmsm/sm3"
	"github.com/stretchr/testify/require"
)

// BenchmarkShift compares a column of dates, a subject for each, with the
// library's HMAC called row by row and a builder, in turns.
func BenchmarkShift(b *testing.B) {
	const n = 1 << 14
	who, in := array.NewStringBuilder(memory.DefaultAllocator), array.NewDate32Builder(memory.DefaultAllocator)
	for i := range n {
		who.Append(fmt.Sprintf("2202021990%08d", i))
		in.Append(arrow.Date32(i))
	}
	subjects, dates, k := who.NewStringArray(), in.NewDate32Array(), kernelOf(b, year)
	ways := []func(){
		func() {
			out, err := k.Mask(envOf(memory.DefaultAllocator, subjects), dates)
			require.NoError(b, err)
			out.Release()
		},
		func() {
			h := hmac.New(sm3.New, derive(year, testKey))
			out := array.NewDate32Builder(memory.DefaultAllocator)
			for i := range n {
				h.Reset()
				h.Write([]byte(subjects.Value(i)))
				days, _ := k.draw.shift(h.Sum(nil))
				out.Append(dates.Value(i) + arrow.Date32(days))
			}
			out.NewArray().Release()
		},
	}
	var spent [2]time.Duration
	for range b.N {
		for i, way := range ways {
			start := time.Now()
			way()
			spent[i] += time.Since(start)
		}
	}
	b.ReportMetric(float64(b.N)*n/spent[0].Seconds()/1e6, "Mrows/s")
	b.ReportMetric(spent[1].Seconds()/spent[0].Seconds(), "x-row")
}
