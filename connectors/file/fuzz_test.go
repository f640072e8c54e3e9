package file

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/connectors"
)

// cut reads all records of a stream; a small window makes every move happen.
func cut(data []byte, sep byte, fields int) (out [][]string, err error) {
	s := newScanner(context.Background(), bytes.NewReader(data), sep, fields, 1<<20)
	s.buf = make([]byte, 8)
	if err := s.skipBOM(); err != nil {
		return nil, err
	}
	for {
		ok, err := s.record()
		if !ok || err != nil {
			return out, err
		}
		line := make([]string, fields)
		for i, c := range s.cells {
			line[i] = strings.ReplaceAll(string(s.bytes(c)), "\r\n", "\n")
		}
		out = append(out, line)
	}
}

// FuzzCSV: what we accept encoding/csv reads alike; what it accepts and RFC 4180
// allows, we accept. (It turns CRLF within quotes into LF and skips blank lines.)
func FuzzCSV(f *testing.F) {
	for _, s := range []string{
		"a,b\n1,2\n", "\"a\",\"b\"\"c\"\r\n\"x\r\ny\",\n", "\xef\xbb\xbfa,b\r\n,\r\n", "a,b", "\"\",\"\"", "\"a\"b,c\n", "a\"b,c\n",
		"\"a,b\n", "a,b\rc,d\n", "\x00,a\n", "\xff,a\n", "王,五\n", "a,\"b\"\r", ",\n,\n", "a,b,c\n", "\n\n",
	} {
		f.Add([]byte(s), uint8(2), byte(','))
	}
	f.Fuzz(func(t *testing.T, data []byte, n uint8, sep byte) {
		fields := int(n%4) + 1
		if got, err := separator(rune(sep)); err != nil || got != sep {
			return
		}
		got, err := cut(data, sep, fields)
		want, wantErr := byStandard(data, sep, fields)
		if err == nil {
			require.NoError(t, wantErr)
			if fields == 1 {
				got = withoutBlank(got)
				want = withoutBlank(want)
			}
			require.Equal(t, want, got)
			return
		}
		var broken *fault
		require.ErrorAs(t, err, &broken)
		if wantErr == nil {
			require.True(t, bytes.ContainsAny(data, "\r\x00") || !utf8.Valid(data) || hasBlankLine(data), "%q refused: %v", data, err)
		}
	})
}

func byStandard(data []byte, sep byte, fields int) ([][]string, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	r.Comma, r.FieldsPerRecord = rune(sep), fields
	return r.ReadAll()
}

func withoutBlank(in [][]string) (out [][]string) {
	for _, line := range in {
		if line[0] != "" {
			out = append(out, line)
		}
	}
	return out
}

func hasBlankLine(data []byte) bool {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	return bytes.HasPrefix(data, []byte("\n")) || bytes.Contains(data, []byte("\n\n"))
}

// FuzzCSVTyped: every type of column, whole reader; an error is one of ours.
func FuzzCSVTyped(f *testing.F) {
	f.Add([]byte("s,i,f,b,d,t,n\nx,1,1.5,true,2024-01-01,2024-01-01 00:00:00,1.23\n"))
	f.Add([]byte("s,i,f,b,d,t,n\n,,,,,,\n\"\"\"\",-1,1e3,是,0001-01-01,2024-01-01T00:00:00.5+08:00,-0.1\n"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, "in.csv")
		require.NoError(t, os.WriteFile(path, data, 0o600))
		readHostile(t, Options{Path: path, Format: CSV, Header: true, Fields: everyType()})
	})
}

func everyType() []connectors.Field {
	return []connectors.Field{nullable("s", "string"), nullable("i", "int64"), nullable("f", "float64"), nullable("b", "bool"),
		nullable("d", "date"), nullable("t", "timestamp"), nullable("n", "decimal(10,2)")}
}

// readHostile reads a file of which anything may be wrong: no panic, no leak,
// and an error that the caller can act upon.
func readHostile(t testing.TB, o Options) error {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	o.Alloc = mem
	_, err := drain(newSource(t, o), connectors.Scan{BatchRows: 100})
	if err != nil && !errors.Is(err, connectors.ErrMalformed) && !errors.Is(err, connectors.ErrLimit) && !errors.Is(err, connectors.ErrDrift) {
		t.Fatalf("an error nobody can act upon: %v", err)
	}
	return err
}

// FuzzParquet: any bytes in place of a Parquet file.
func FuzzParquet(f *testing.F) {
	for _, props := range writers() {
		data, _ := smallParquet(f, props)
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	_, fields := smallParquet(f, nil)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, "in.parquet")
		require.NoError(t, os.WriteFile(path, data, 0o600))
		_ = readHostile(t, Options{Path: path, Format: Parquet, Fields: fields})
	})
}

// FuzzHeaders: the parsers of Parquet footers, page headers and Zstandard
// frames never read outside their bytes, and what the first accepts is bounded.
func FuzzHeaders(f *testing.F) {
	data, _ := smallParquet(f, nil)
	f.Add(data[len(data)-400 : len(data)-8])
	f.Add([]byte{0x15, 0x04, 0x15, 0x10, 0x15, 0x10, 0x4c, 0x15, 0x02, 0x15, 0x00, 0x00, 0x00})
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x01, 0x09, 0, 0, 'x', 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = walkFooter(data)
		r := &thriftReader{b: data}
		if _, err := parsePageHeader(r); err == nil {
			require.LessOrEqual(t, r.pos, len(data))
		}
		size, err := zstdFrame(bytes.NewReader(data), 0, int64(len(data)))
		if err == nil {
			require.LessOrEqual(t, size, int64(maxPageBytes))
		}
	})
}
