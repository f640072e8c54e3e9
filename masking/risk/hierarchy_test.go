package risk_test

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/risk"
)

func TestParseHierarchy(t *testing.T) {
	h := hierarchy(t, "\ufeffa;x;*\r\n\"b;c\";x;*\n\nd;\"y \"\"z\"\"\";*")
	require.Equal(t, []int{3, 2, 1}, []int{h.Leaves(), h.Height(), h.Tops()})
	for _, c := range []struct {
		level int
		value string
		want  string
		ok    bool
	}{{0, "a", "a", true}, {1, "b;c", "x", true}, {1, "d", `y "z"`, true}, {2, "d", "*", true},
		{3, "a", "", false}, {-1, "a", "", false}, {0, "no", "", false}, {0, "", "", false}} {
		got, ok := h.At(c.level, c.value)
		require.Equal(t, c.want, got)
		require.Equal(t, c.ok, ok)
	}
	require.Equal(t, 2, hierarchy(t, "a;x\nb;y").Tops())
	require.Equal(t, 1, hierarchy(t, ";*").Leaves(), "the empty text is a value")
}

func TestParseHierarchyRefuses(t *testing.T) {
	for name, c := range map[string]struct{ table, want string }{
		"empty":        {"", "no values"},
		"one field":    {"CANARY", "want 2 to 33 fields"},
		"too deep":     {strings.Repeat("CANARY;", 33) + "*", "line 1: want 2 to 33"},
		"ragged":       {"CANARY;x;*\nb;x", "wrong number of fields"},
		"twice":        {"CANARY;x;*\nCANARY;x;*", "line 2: the value has a line already"},
		"no function":  {"a;CANARY;*\nb;CANARY;+", "line 2: level 2: not a function of level 1"},
		"far function": {"a;x;CANARY;1;*\nb;y;CANARY;2;*", "line 2: level 3: not a function of level 2"},
		"not UTF-8":    {"a\xff;*", "line 1: level 0: want UTF-8"},
		"long label":   {"a;" + strings.Repeat("C", 5000), "level 1: want UTF-8 of at most"},
		"bare quote":   {"a\"b;*", "bare"},
		"open quote":   {"a;\"*", "quote"},
		"comma":        {"a,CANARY,*", "want 2 to"},
	} {
		_, err := risk.ParseHierarchy(strings.NewReader(c.table))
		require.ErrorContains(t, err, c.want, name)
		require.NotContains(t, err.Error(), "CANARY", name)
	}
	_, err := risk.ParseHierarchy(iotest.ErrReader(io.ErrUnexpectedEOF))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

// endless never ends a line.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func TestParseHierarchyIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("reads to the bound")
	}
	_, err := risk.ParseHierarchy(endless{})
	require.ErrorContains(t, err, "larger than")
}

func FuzzParseHierarchy(f *testing.F) {
	for _, seed := range []string{ages, jobTable, "\ufeffa;*", "a;\"b\n\";*\nc;d;*", ";;\n", "a;x;*\nb;x;+", "\"\"\"\";*"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, table string) {
		h, err := risk.ParseHierarchy(strings.NewReader(table))
		if err != nil {
			return
		}
		require.Positive(t, h.Leaves())
		require.Positive(t, h.Height())
		require.Positive(t, h.Tops())
		require.LessOrEqual(t, h.Tops(), h.Leaves())
	})
}
