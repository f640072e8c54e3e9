package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/connectors"
)

func TestCSVMalformed(t *testing.T) {
	const secret = "机密7731"
	fields := []connectors.Field{field("a", "string"), nullable("b", "int64")}
	for _, c := range []struct {
		name, body string
		row        int64
		field      string
		rule       string
	}{
		{"too few", "x,1\n" + secret + "\n", 2, "", ruleFew},
		{"too many", "x,1," + secret + "\n", 1, "", ruleMany},
		{"blank line", "x,1\n\ny,2\n", 2, "", ruleFew},
		{"quote left open", "x,1\n\"" + secret + ",2\n", 2, "a", ruleOpenQuote},
		{"bare quote", secret + "\",1\n", 1, "a", ruleBareQuote},
		{"after quote", "\"x\"" + secret + ",1\n", 1, "a", ruleAfterQuote},
		{"bare CR", "x,1\rz,2\n", 1, "b", ruleBareCR},
		{"CR at end", "x,1\r", 1, "b", ruleBareCR},
		{"NUL", "x\x00,1\n", 1, "a", ruleNUL},
		{"quoted NUL", "\"x\x00\",1\n", 1, "a", ruleNUL},
		{"UTF-8", "x,1\nx\xff" + secret + ",1\n", 2, "a", ruleUTF8},
		{"surrogate", "\"\xed\xa0\x80\",1\n", 1, "a", ruleUTF8},
		{"int", "x," + secret + "\n", 1, "b", ruleInt},
		{"int space", "x, 1\n", 1, "b", ruleInt},
		{"int range", "x,9223372036854775808\n", 1, "b", ruleInt},
		{"null", "x,1\ny,\n,3\n", 3, "a", ruleNull},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readAll(t, csvOptions(t, "a,b\n"+c.body, fields...), connectors.Scan{})
			require.ErrorIs(t, err, connectors.ErrMalformed)
			var at *connectors.RowError
			require.ErrorAs(t, err, &at)
			require.Equal(t, connectors.RowError{Row: c.row, Field: c.field, Rule: c.rule}, *at)
			require.NotContains(t, err.Error(), secret)
			require.NotContains(t, err.Error(), string(os.PathSeparator)+"in.csv")
		})
	}
}

func TestCSVDrift(t *testing.T) {
	fields := []connectors.Field{field("a", "string"), field("b", "string")}
	for _, c := range []struct{ name, text, want string }{
		{"missing", "a\nx\n", `schema drift: field "b": declared but not stored`},
		{"extra", "a,b,c\nx,y,z\n", `schema drift: column 3: field "c": not declared`},
		{"extra and long", "a,b," + strings.Repeat("c", 65) + "\n", `schema drift: column 3: not declared`},
		{"extra and ugly", "a,b,c\x1b[0m\n", `schema drift: column 3: not declared`},
		{"twice", "a,b,a\n", `schema drift: column 3: field "a": stored twice`},
		{"renamed", "a,B\n", `schema drift: column 2: field "B": not declared`},
		{"data in place of a header", "王小明,220202199001011234\n", `schema drift: column 1: not declared`},
		{"empty", "", `schema drift: no header: the file is empty`},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := csvOptions(t, c.text, fields...)
			_, err := readAll(t, o, connectors.Scan{})
			require.EqualError(t, err, c.want)
			require.ErrorIs(t, err, connectors.ErrDrift)
			_, err = newSource(t, o).Describe(context.Background())
			require.EqualError(t, err, c.want)
		})
	}
	t.Run("header too wide", func(t *testing.T) {
		_, err := readAll(t, csvOptions(t, strings.Repeat("x,", 5000)+"\n", fields...), connectors.Scan{})
		require.ErrorIs(t, err, connectors.ErrMalformed)
	})
}

func TestCSVNulls(t *testing.T) {
	fields := []connectors.Field{nullable("s", "string"), nullable("n", "int64")}
	o := csvOptions(t, "n,s\n,\n\"\",\"\"\nNA,NA\n1,\"NA\"\n", fields...)
	o.NullValues = []string{"", "NA"}
	require.Equal(t, `{"n":null,"s":null}
{"n":null,"s":""}
{"n":null,"s":null}
{"n":1,"s":"NA"}
`, mustRead(t, o))

	o = csvOptions(t, "s\n\n", nullable("s", "string"))
	o.NullValues = []string{}
	require.Equal(t, "{\"s\":\"\"}\n", mustRead(t, o))
}

func TestCSVWithoutHeader(t *testing.T) {
	o := csvOptions(t, "x\t1\r\n\"y\tz\"\t2", field("a", "string"), field("b", "int64"))
	o.Header, o.Separator = false, '\t'
	require.Equal(t, "{\"a\":\"x\",\"b\":1}\n{\"a\":\"y\\tz\",\"b\":2}\n", mustRead(t, o))

	empty := csvOptions(t, "", field("a", "string"))
	empty.Header = false
	require.Empty(t, mustRead(t, empty))
}

func TestCSVLimits(t *testing.T) {
	fields := []connectors.Field{field("a", "string"), field("b", "string")}
	o := csvOptions(t, "a,b\nx,y\nx,"+strings.Repeat("y", 101)+"\n", fields...)
	o.MaxCellBytes = 100
	_, err := readAll(t, o, connectors.Scan{})
	require.ErrorIs(t, err, connectors.ErrLimit)
	require.ErrorContains(t, err, `row 2, field "b": cell over its size limit`)

	o.MaxCellBytes = 101
	_, err = readAll(t, o, connectors.Scan{})
	require.NoError(t, err)

	o.MaxFileBytes = 10
	_, err = readAll(t, o, connectors.Scan{})
	require.ErrorIs(t, err, connectors.ErrLimit)
}

// endless is a quoted cell without end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	if e.read == 0 {
		p[0] = '"'
	}
	e.read += len(p)
	return len(p), nil
}

func TestCSVOpenQuoteIsBounded(t *testing.T) {
	src := &endless{}
	s := newScanner(context.Background(), src, ',', 1, 1<<20)
	_, err := s.record()
	var f *fault
	require.ErrorAs(t, err, &f)
	require.Equal(t, ruleRecordSize, f.rule)
	require.LessOrEqual(t, src.read, 4<<20)
}

// hung cancels the read in the midst of a record, and goes on for ever.
type hung struct {
	cancel func()
	reads  int
}

func (h *hung) Read(p []byte) (int, error) {
	if h.reads++; h.reads == 3 {
		h.cancel()
	}
	return copy(p, "x"), nil
}

func TestCSVCancelWithinARecord(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := newScanner(ctx, &hung{cancel: cancel}, ',', 1, 1<<20)
	_, err := s.record()
	require.ErrorIs(t, err, context.Canceled)
}

func TestCSVReadError(t *testing.T) {
	broken := errors.New("broken disk")
	s := newScanner(context.Background(), io.MultiReader(strings.NewReader("a,b\nc"), errReader{broken}), ',', 2, 100)
	ok, err := s.record()
	require.True(t, ok)
	require.NoError(t, err)
	_, err = s.record()
	require.ErrorIs(t, err, broken)
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

func TestCSVUnwantedColumnsAreStillCut(t *testing.T) {
	fields := []connectors.Field{field("a", "int64"), field("b", "int64")}
	out, err := readAll(t, csvOptions(t, "a,b\n1,oops\n", fields...), connectors.Scan{Columns: []string{"a"}})
	require.NoError(t, err, "a value is parsed only where it is wanted")
	require.Equal(t, "{\"a\":1}\n", out)
	_, err = readAll(t, csvOptions(t, "a,b\n1,\xff\n", fields...), connectors.Scan{Columns: []string{"a"}})
	require.ErrorIs(t, err, connectors.ErrMalformed)
}

// TestCSVMemory reads a file much larger than what may be held at once.
func TestCSVMemory(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("a,b\n")
	for i := range 300_000 {
		fmt.Fprintf(&b, "%d,%s\n", i, "some text of a certain length to fill the file")
	}
	mem := &highWater{Allocator: checked(t)}
	o := Options{Path: write(t, "big.csv", b.Bytes()), Format: CSV, Header: true, Alloc: mem,
		Fields: []connectors.Field{field("a", "int64"), field("b", "string")}}
	r, err := newSource(t, o).Open(context.Background(), connectors.Scan{MaxBatchBytes: 64 << 10})
	require.NoError(t, err)
	defer r.Release()
	n := int64(0)
	for r.Next() {
		n += r.Record().NumRows()
	}
	require.NoError(t, r.Err())
	require.EqualValues(t, 300_000, n)
	require.Less(t, mem.high, 1<<20, "of a file of 16 MB")
}
