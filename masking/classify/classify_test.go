package classify_test

import (
	"context"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/classify"
)

// classifyText runs one text column through Classify, in batches of 100.
func classifyText(t testing.TB, header string, values []string, o classify.Options) classify.Result {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	schema := arrow.NewSchema([]arrow.Field{{Name: header, Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	b := array.NewRecordBuilder(mem, schema)
	defer b.Release()
	var recs []arrow.Record
	for start := 0; start == 0 || start < len(values); start += 100 {
		for _, v := range values[start:min(start+100, len(values))] {
			if v == "\x00null" {
				b.Field(0).AppendNull()
			} else {
				b.Field(0).(*array.StringBuilder).Append(v)
			}
		}
		recs = append(recs, b.NewRecord())
	}
	r, err := array.NewRecordReader(schema, recs)
	require.NoError(t, err)
	defer r.Release()
	for _, rec := range recs {
		rec.Release()
	}
	rep, err := classify.Classify(context.Background(), r, o)
	require.NoError(t, err)
	require.Len(t, rep.Columns, 1)
	require.EqualValues(t, len(values), rep.Rows)
	return rep.Columns[0]
}

func TestWorkedExamples(t *testing.T) {
	for _, c := range []struct {
		header string
		value  string
		want   classify.Type
	}{
		{"c1", "11010519491231002X", classify.ResidentID},
		{"sfzh", "110105491231002", classify.ResidentID},
		{"c1", "91350100M000100Y43", classify.CreditCode},
		{"手机号", "13800138000", classify.Mobile},
		{"email", "a.b@example.cn", classify.Email},
		{"车牌", "吉A·D12345", classify.Plate},
		{"xm", "欧阳娜娜", classify.PersonName},
		{"住址", "吉林省吉林市昌邑区解放东路12号3栋2单元501室", classify.Address},
		{"年龄", "43", classify.Age},
		{"birthDate", "1990-03-07", classify.BirthDate},
		{"性别", "1", classify.Gender},
	} {
		r := classifyText(t, c.header, []string{c.value, c.value, c.value}, classify.Options{})
		require.Equalf(t, c.want, r.Type, "%s: %+v", c.header, r)
	}
}
