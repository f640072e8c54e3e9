package lookup

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/identifier"
)

func TestCompile_Refuses(t *testing.T) {
	p := func(k Kind, field, op, value string) Predicate {
		return Predicate{ID: "p", Kind: k, Field: field, Op: op, Value: value}
	}
	band := func(field, low, high string) Predicate {
		return Predicate{ID: "p", Kind: Band, Field: field, Low: low, High: high}
	}
	for _, c := range []struct {
		rule string
		Predicate
	}{
		{"unknown kind", p("regex", "s", "", "x")},
		{"id is empty", Predicate{Kind: Exists}},
		{"no such field", p(Equals, "nope", "", "x")},
		{"field is missing", p(Equals, "", "", "x")},
		{"field does not belong", p(Exists, "s", "", "")},
		{"op is missing", p(Compare, "i", "", "1")},
		{"op does not belong", p(Equals, "i", "=", "1")},
		{"op is not one of", p(Compare, "i", "=>", "1")},
		{"values is missing", Predicate{ID: "p", Kind: Member, Field: "s"}},
		{"values does not belong", Predicate{ID: "p", Kind: Exists, Values: []string{"x"}}},
		{"more than 10000 values", Predicate{ID: "p", Kind: Member, Field: "s", Values: make([]string, 10_001)}},
		{"low is missing", band("i", "", "1")},
		{"high is missing", band("i", "1", "")},
		{"low is not below high", band("i", "1", "1")},
		{"low is not below high", band("d", "2.00", "1.99")},
		{"no order", band("s", "a", "b")},
		{"no order", p(Compare, "b", "<", "true")},
		{"int64", p(Equals, "i", "", "1.0")},
		{"int64", p(Equals, "i", "", "+1")},
		{"int64", p(Equals, "i", "", "01")},
		{"int64", p(Equals, "i", "", "")},
		{"int64", p(Equals, "i", "", "9223372036854775808")},
		{"nothing lies beyond", p(Compare, "i", "<", "-9223372036854775808")},
		{"nothing lies beyond", p(Compare, "i", ">", "9223372036854775807")},
		{"exact equality", p(Equals, "f", "", "1")},
		{"exact equality", p(Compare, "f", "!=", "1")},
		{"plain decimal", p(Compare, "f", ">", "NaN")},
		{"plain decimal", p(Compare, "f", ">", "1e3")},
		{"plain decimal", p(Compare, "f", ">", "0x1p2")},
		{"plain decimal", p(Compare, "f", ">", strings.Repeat("9", 257))},
		{"plain decimal", p(Compare, "d", ">", ".5")},
		{"plain decimal", p(Compare, "d", ">", "5.")},
		{"plain decimal", p(Compare, "d", ">", "--5")},
		{"finer than the field's scale", p(Compare, "d", ">", "0.001")},
		{"outside the type", p(Compare, "d", ">", "10000000000000000")},
		{"date", p(Equals, "day", "", "2026-2-1")},
		{"date", p(Equals, "day", "", "2026-02-30")},
		{"time", p(Compare, "ts", ">", "2026-01-01T00:00:00")},
		{"finer than the field's unit", p(Compare, "ts", ">", "2026-01-01T00:00:00.0001Z")},
		{"true or false", p(Equals, "b", "", "TRUE")},
		{"longer than 256", p(Equals, "s", "", strings.Repeat("x", 257))},
		{"identity fields are text", Predicate{ID: "p", Kind: Identity, NameField: "s", PhoneField: "i"}},
		{"phone_field is missing", Predicate{ID: "p", Kind: Identity, NameField: "s"}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			_, err := Compile([]Predicate{c.Predicate}, anySchema(), anySubject)
			require.ErrorIs(t, err, ErrProgram)
			require.ErrorContains(t, err, c.rule)
			require.ErrorContains(t, err, fmt.Sprintf("predicate %q", c.ID))
		})
	}
}

func TestCompile_RefusesSubjects(t *testing.T) {
	for rule, s := range map[string]Subject{
		"field is empty":          {Identifier: identifier.Opaque},
		"no such field":           {Field: "nope", Identifier: identifier.Opaque},
		"identifier kind":         {Field: "id", Identifier: "passport"},
		"text or int64":           {Field: "f", Identifier: identifier.Opaque},
		"withhold is a bool":      {Field: "id", Identifier: identifier.Opaque, Withhold: "s"},
		`field "w2": program is`:  {Field: "id", Identifier: identifier.Opaque, Withhold: "w2"},
		`field "dup": program is`: {Field: "dup", Identifier: identifier.Opaque},
	} {
		in := arrow.NewSchema(append(anySchema().Fields(),
			arrow.Field{Name: "dup", Type: arrow.BinaryTypes.String}, arrow.Field{Name: "dup", Type: arrow.BinaryTypes.String}), nil)
		_, err := Compile(nil, in, s)
		require.ErrorIs(t, err, ErrProgram)
		require.ErrorContains(t, err, rule)
	}
	many := make([]Predicate, MaxPredicates+1)
	_, err := Compile(many, anySchema(), anySubject)
	require.ErrorIs(t, err, ErrProgram)
	_, err = Compile([]Predicate{{ID: "a", Kind: Exists}, {ID: "a", Kind: Exists}}, anySchema(), anySubject)
	require.ErrorContains(t, err, "used twice")
	_, err = Compile([]Predicate{
		{ID: "a", Kind: Identity, NameField: "s", PhoneField: "ls"}, {ID: "b", Kind: Identity, NameField: "ls", PhoneField: "s"},
	}, anySchema(), anySubject)
	require.ErrorContains(t, err, "same two fields")
	_, err = Compile([]Predicate{{ID: "a", Kind: Equals, Field: "u", Value: "1"}},
		arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String}, {Name: "u", Type: arrow.PrimitiveTypes.Uint8}}, nil),
		Subject{Field: "id", Identifier: identifier.Opaque})
	require.ErrorContains(t, err, "have no predicates")
}

func TestProgram_ColumnsAndDigest(t *testing.T) {
	p := personProgram(t)
	require.Equal(t, []string{"rid", "objection", "district", "age", "area", "name", "phone"}, p.Columns())
	require.Equal(t, 5, p.Len())
	seen := map[[32]byte]bool{p.Digest(): true}
	differs := func(preds []Predicate, s Subject) {
		q, err := Compile(preds, personSchema, s)
		require.NoError(t, err)
		require.False(t, seen[q.Digest()])
		seen[q.Digest()] = true
	}
	for i := range persons {
		differs(append(append([]Predicate{}, persons[:i]...), persons[i+1:]...), opaque)
		changed := append([]Predicate{}, persons...)
		changed[i].ID += "2"
		differs(changed, opaque)
	}
	swapped := append([]Predicate{}, persons...)
	swapped[0], swapped[1] = swapped[1], swapped[0]
	differs(swapped, opaque)
	differs(persons, Subject{Field: "rid", Identifier: identifier.Opaque})
	differs(persons, Subject{Field: "rid", Identifier: identifier.ResidentID, Withhold: "objection"})
	require.Equal(t, p.Digest(), personProgram(t).Digest())
}

func TestVersionKeys_PrintNoKey(t *testing.T) {
	k := testKeys(t, "v")
	j, err := json.Marshal(k)
	require.NoError(t, err)
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%+v", k), fmt.Sprintf("%#v", k), k.LogValue().String(), strings.Trim(string(j), `"`), slog.AnyValue(k).Resolve().String()} {
		require.Equal(t, "[key]", s)
	}
	require.NotEqual(t, k.Mac(nil, nil), testKeys(t, "w").Mac(nil, nil))
}

func FuzzLiterals(f *testing.F) {
	for _, s := range []string{"0", "-1", "24", "0.10", "2026-10-31", "2026-10-31T08:00:00+08:00", "true", "1e9", "", "-", "9223372036854775808"} {
		f.Add(s)
	}
	dec := &arrow.Decimal128Type{Precision: 18, Scale: 2}
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := parseInt(s); err == nil {
			require.Equal(t, s, fmt.Sprint(v))
		}
		if v, err := parseDecimal(s, dec); err == nil {
			want, err := decimal128.FromString(s, 18, 2)
			require.NoError(t, err)
			require.Equal(t, want, v)
		}
		if _, err := parseFloat(s); err == nil {
			require.True(t, plainDecimal(s))
		}
		for _, p := range []Predicate{
			{ID: "p", Kind: Equals, Field: "day", Value: s}, {ID: "p", Kind: Compare, Op: "<", Field: "ts", Value: s},
			{ID: "p", Kind: Band, Field: "f", Low: s, High: s}, {ID: "p", Kind: Member, Field: "b", Values: []string{s}},
		} {
			if _, err := Compile([]Predicate{p}, anySchema(), anySubject); err != nil {
				require.ErrorIs(t, err, ErrProgram)
			}
		}
	})
}
