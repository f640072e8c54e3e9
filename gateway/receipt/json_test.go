package receipt

import (
	"encoding/json"
	"sort"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCanonicalizeVectors(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		// RFC 8785, 3.2.2: the string and literals of its example.
		"rfc strings": {
			`{"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}`,
			`{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
		},
		// RFC 8785, 3.2.3: its sorting example.
		"rfc keys": {
			`{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",` +
				` "1": "One", "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",` +
				` "\u00f6": "Latin Small Letter O With Diaeresis"}`,
			"{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\"," +
				"\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}",
		},
		"controls":    {`"\u0000\u0008\u0009\u000A\u000c\u000D\u001F\u007f"`, "\"\\u0000\\b\\t\\n\\f\\r\\u001f\u007f\""},
		"white space": {" \t\n\r[ 1 , { } , [ ] ] \n", `[1,{},[]]`},
		"bounds":      {`[9007199254740991,-9007199254740991,0]`, `[9007199254740991,-9007199254740991,0]`},
		"nested sort": {`{"b":{"d":1,"c":2},"a":[{"z":0,"":1}]}`, `{"a":[{"":1,"z":0}],"b":{"c":2,"d":1}}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Canonicalize([]byte(c.in))
			require.NoError(t, err)
			require.Equal(t, c.want, string(got))
			require.NoError(t, RequireCanonical(got))
		})
	}
}

func TestCanonicalizeRefuses(t *testing.T) {
	for in, want := range map[string]error{
		``:                         ErrSyntax,
		` `:                        ErrSyntax,
		`{`:                        ErrSyntax,
		`{"a"}`:                    ErrSyntax,
		`{"a":1,}`:                 ErrSyntax,
		`{a:1}`:                    ErrSyntax,
		`[1,]`:                     ErrSyntax,
		`[1 2]`:                    ErrSyntax,
		`1 1`:                      ErrSyntax,
		`tru`:                      ErrSyntax,
		`-`:                        ErrSyntax,
		`+1`:                       ErrSyntax,
		`"a`:                       ErrSyntax,
		`"a\`:                      ErrSyntax,
		`"\x"`:                     ErrSyntax,
		`"\u12"`:                   ErrSyntax,
		`"\u12g4"`:                 ErrSyntax,
		"\"\n\"":                   ErrSyntax,
		"\"\\\n\"":                 ErrSyntax,
		"\ufeff1":                  ErrSyntax,
		`1.0`:                      ErrNumber,
		`1e3`:                      ErrNumber,
		`01`:                       ErrNumber,
		`-0`:                       ErrNumber,
		`9007199254740992`:         ErrNumber,
		`-9007199254740992`:        ErrNumber,
		strings.Repeat("9", 400):   ErrNumber,
		`"\ud800"`:                 ErrText,
		`"\udc00\ud800"`:           ErrText,
		`"\ud800\u0041"`:           ErrText,
		`"\ud800x"`:                ErrText,
		"\"\xff\"":                 ErrText,
		"\"\xed\xa0\x80\"":         ErrText,
		"\"\xc0\x80\"":             ErrText,
		`{"a":1,"a":1}`:            ErrDuplicate,
		`{"a":1,"\u0061":2}`:       ErrDuplicate,
		`{"a":1,"b":2,"a":{}}`:     ErrDuplicate,
		strings.Repeat("[", 33):    ErrDepth,
		strings.Repeat("[", 1<<20): ErrDepth,
		strings.Repeat(`{"":`, 33): ErrDepth,
	} {
		_, err := Canonicalize([]byte(in))
		require.ErrorIs(t, err, want, "%.40q", in)
		require.Error(t, RequireCanonical([]byte(in)), "%.40q", in)
	}
	_, err := Canonicalize(make([]byte, MaxDocument+1))
	require.ErrorIs(t, err, ErrSize)
	require.ErrorIs(t, RequireCanonical(make([]byte, MaxDocument+1)), ErrSize)
	deep := strings.Repeat("[", 32) + strings.Repeat("]", 32)
	require.NoError(t, RequireCanonical([]byte(deep)))
}

func TestRequireCanonicalRefusesOtherForms(t *testing.T) {
	for _, in := range []string{
		` 1`, `1 `, `[1, 2]`, `{"b":1,"a":2}`, `{"a":1,"a":1}`, `"\u0041"`, `"\/"`, `"\u000a"`, `"\u001F"`,
		`"\u20ac"`, "{\"\ufb33\":1,\"😀\":1}", `{"" :1}`,
	} {
		require.Error(t, RequireCanonical([]byte(in)), "%q", in)
	}
}

func TestCompareUTF16EqualsCodeUnits(t *testing.T) {
	piece := rapid.SampledFrom([]string{"", "a", "\x7f", "\u0080", "é", "\ud7ff", "\ue000", "\ufb33", "\uffff", "\U00010000", "😀", "\U0010ffff"})
	rapid.Check(t, func(t *rapid.T) {
		a := strings.Join(rapid.SliceOfN(piece, 0, 4).Draw(t, "a"), "")
		b := strings.Join(rapid.SliceOfN(piece, 0, 4).Draw(t, "b"), "")
		x, y := utf16.Encode([]rune(a)), utf16.Encode([]rune(b))
		want := 0
		for i := 0; want == 0 && (i < len(x) || i < len(y)); i++ {
			switch {
			case i == len(x):
				want = -1
			case i == len(y):
				want = 1
			default:
				want = int(x[i]) - int(y[i])
			}
		}
		require.Equal(t, sign(want), sign(compareUTF16(a, b)))
	})
}

func sign(n int) int { return min(1, max(-1, n)) }

// jsonValue draws values as encoding/json knows them, integers only.
func jsonValue(depth int) *rapid.Generator[any] {
	leaf := rapid.OneOf(
		rapid.Just[any](nil), rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.Int64Range(-MaxInteger, MaxInteger), func(n int64) any { return n }),
		rapid.Map(rapid.String(), func(s string) any { return s }),
	)
	if depth == 0 {
		return leaf
	}
	inner := jsonValue(depth - 1)
	return rapid.OneOf(leaf,
		rapid.Map(rapid.SliceOfN(inner, 0, 4), func(v []any) any { return v }),
		rapid.Map(rapid.MapOfN(rapid.String(), inner, 0, 4), func(m map[string]any) any { return m }))
}

func TestCanonicalizeKeepsTheValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plain, err := json.MarshalIndent(jsonValue(3).Draw(t, "value"), " ", "\t")
		require.NoError(t, err)
		got, err := Canonicalize(plain)
		require.NoError(t, err)
		require.JSONEq(t, string(plain), string(got))
		require.NoError(t, RequireCanonical(got))
		again, err := Canonicalize(got)
		require.NoError(t, err)
		require.Equal(t, got, again)
	})
}

func FuzzCanonicalize(f *testing.F) {
	for _, s := range []string{`{"a":[1,"\u00e9",null]}`, `"\ud83d\ude00"`, `[[],{},-1]`, `{"\ufb33":1,"\ud83d\ude00":2}`, `-0`, "\"\xff\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := Canonicalize(in)
		canonical := RequireCanonical(in)
		if err != nil {
			require.Error(t, canonical)
			return
		}
		require.True(t, json.Valid(in))
		require.NoError(t, RequireCanonical(out))
		again, err := Canonicalize(out)
		require.NoError(t, err)
		require.Equal(t, out, again)
		require.Equal(t, string(in) == string(out), canonical == nil)
	})
}

func TestSortIsStableUnderPermutation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfNDistinct(rapid.String(), 1, 8, rapid.ID[string]).Draw(t, "keys")
		write := func(keys []string) []byte {
			dst := []byte("{")
			for i, k := range keys {
				if i > 0 {
					dst = append(dst, ',')
				}
				dst = append(AppendString(dst, k), ":1"...)
			}
			return append(dst, '}')
		}
		a, err := Canonicalize(write(keys))
		require.NoError(t, err)
		sort.Strings(keys)
		b, err := Canonicalize(write(keys))
		require.NoError(t, err)
		require.Equal(t, a, b)
	})
}
