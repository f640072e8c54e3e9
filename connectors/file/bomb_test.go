package file

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/connectors"
)

// repeated gives a record of one dictionary column: small rows of "a", then
// large rows that all refer to one long text.
func repeated(t testing.TB, small, large, length int) arrow.Record {
	dt := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	b := array.NewDictionaryBuilder(memory.NewGoAllocator(), dt).(*array.BinaryDictionaryBuilder)
	defer b.Release()
	long := strings.Repeat("x", length)
	for range small {
		require.NoError(t, b.AppendString("a"))
	}
	for range large {
		require.NoError(t, b.AppendString(long))
	}
	col := b.NewArray()
	defer col.Release()
	return array.NewRecord(arrow.NewSchema([]arrow.Field{{Name: "s", Type: dt}}, nil), []arrow.Array{col}, int64(small+large))
}

func TestParquetDictionaryOfLongText(t *testing.T) {
	rec := repeated(t, 0, 400, 600_000)
	defer rec.Release()
	o := parquetOptions(t, rec, nil, field("s", "string"))
	st, err := os.Stat(o.Path)
	require.NoError(t, err)
	require.Less(t, st.Size(), int64(2<<20), "240 MB of text in a small file")
	mem := &highWater{Allocator: o.Alloc}
	o.Alloc = mem
	_, err = readAll(t, o, connectors.Scan{MaxBatchBytes: 4 << 20})
	require.NoError(t, err)
	require.Less(t, mem.high, 16<<20)
}

func TestParquetDictionaryBomb(t *testing.T) {
	rec := repeated(t, 20_000, 900, 900_000)
	defer rec.Release()
	o := parquetOptions(t, rec, nil, field("s", "string"))
	_, err := readAll(t, o, connectors.Scan{MaxBatchBytes: 1 << 20})
	require.ErrorIs(t, err, connectors.ErrLimit)
}

// footer gives a FileMetaData with a list of n structs in the given field.
func footer(id byte, n uint64, bytesAfter int) []byte {
	b := []byte{id<<4 | tList, 0xf0 | tStruct}
	b = binary.AppendUvarint(b, n)
	return append(b, make([]byte, bytesAfter)...)
}

func TestParquetFooterBombs(t *testing.T) {
	for name, c := range map[string]struct {
		foot []byte
		want error
	}{
		"100 million columns in ten bytes": {footer(2, 100_000_000, 10), connectors.ErrMalformed},
		"5000 columns":                     {footer(2, 5000, 6000), connectors.ErrLimit},
		"70000 row groups":                 {footer(4, 70_000, 80_000), connectors.ErrLimit},
		"a million and more elements":      {footer(5, 1<<20+1, 1<<21), connectors.ErrMalformed},
		"deep":                             {bytes.Repeat([]byte{1<<4 | tStruct}, 1000), connectors.ErrMalformed},
		"map":                              {[]byte{1<<4 | tMap, 0x01, 0x55, 0, 0, 0}, connectors.ErrMalformed},
		"binary past the end":              {[]byte{1<<4 | tBinary, 0xff, 0xff, 0xff, 0xff, 0x0f, 0}, connectors.ErrMalformed},
		"twice":                            {[]byte{2<<4 | tList, tStruct, tList, 4, tStruct, 0}, connectors.ErrMalformed},
		"cut":                              {[]byte{1<<4 | tI32, 0x80}, connectors.ErrMalformed},
	} {
		require.ErrorIs(t, walkFooter(c.foot), c.want, name)
	}
	require.NoError(t, walkFooter([]byte{2<<4 | tList, tStruct, 0}))
}

func TestParquetFooterLength(t *testing.T) {
	file := append([]byte("PAR1"), make([]byte, 100)...)
	for name, c := range map[string]struct {
		n    uint32
		want error
	}{"longer than the file": {1000, connectors.ErrMalformed}, "nothing": {0, connectors.ErrMalformed}, "all": {1<<32 - 1, connectors.ErrMalformed}} {
		data := append(binary.LittleEndian.AppendUint32(bytes.Clone(file), c.n), "PAR1"...)
		o := Options{Path: write(t, "x", data), Format: Parquet, Fields: []connectors.Field{field("a", "int64")}}
		require.ErrorIs(t, readHostile(t, o), c.want, name)
	}
}

// page is a data page header and its body.
type page struct {
	kind, uncompressed, compressed, values, encoding int64
	crc                                              *uint32
	body                                             []byte
}

func (p page) bytes() []byte {
	i32 := func(b []byte, head byte, v int64) []byte { return binary.AppendVarint(append(b, head), v) }
	b := i32(nil, 1<<4|tI32, p.kind)
	b = i32(b, 1<<4|tI32, p.uncompressed)
	b = i32(b, 1<<4|tI32, p.compressed)
	step := byte(2)
	if p.crc != nil {
		b = i32(b, 1<<4|tI32, int64(int32(*p.crc)))
		step = 1
	}
	if p.kind == pageDict {
		step += 2
	}
	b = i32(append(b, step<<4|tStruct), 1<<4|tI32, p.values)
	b = i32(b, 1<<4|tI32, p.encoding)
	return append(append(b, 0, 0), p.body...)
}

func (p page) check(codec compress.Compression) error {
	b := p.bytes()
	c := &chunk{r: bytes.NewReader(b), end: int64(len(b)), codec: codec}
	_, err := c.page()
	return err
}

func TestParquetPageBombs(t *testing.T) {
	plain, snappy, zstd, gzip := compress.Codecs.Uncompressed, compress.Codecs.Snappy, compress.Codecs.Zstd, compress.Codecs.Gzip
	body := make([]byte, 400)
	sum, wrong := crc32.ChecksumIEEE(body), uint32(7)
	require.NoError(t, page{uncompressed: 400, compressed: 400, values: 50, body: body, crc: &sum}.check(plain))
	for name, c := range map[string]struct {
		p     page
		codec compress.Compression
		want  error
	}{
		"2 GB page":            {page{uncompressed: 1<<31 - 1, compressed: 400, values: 50, body: body}, snappy, connectors.ErrLimit},
		"past the column":      {page{uncompressed: 500, compressed: 500, values: 50, body: body}, plain, connectors.ErrMalformed},
		"negative":             {page{uncompressed: -1, compressed: 400, values: 50, body: body}, plain, connectors.ErrMalformed},
		"no rows":              {page{uncompressed: 400, compressed: 400, body: body}, plain, connectors.ErrMalformed},
		"unknown kind":         {page{kind: 1, uncompressed: 400, compressed: 400, values: 50, body: body}, plain, connectors.ErrMalformed},
		"delta encoding":       {page{uncompressed: 400, compressed: 400, values: 50, encoding: 5, body: body}, plain, connectors.ErrMalformed},
		"no dictionary":        {page{uncompressed: 400, compressed: 400, values: 50, encoding: 8, body: body}, plain, connectors.ErrMalformed},
		"dictionary count":     {page{kind: pageDict, uncompressed: 400, compressed: 400, values: 1 << 30, body: body}, plain, connectors.ErrMalformed},
		"checksum":             {page{uncompressed: 400, compressed: 400, values: 50, body: body, crc: &wrong}, plain, connectors.ErrMalformed},
		"plain size":           {page{uncompressed: 4000, compressed: 400, values: 50, body: body}, plain, connectors.ErrMalformed},
		"snappy says 4 GB":     {page{uncompressed: 400, compressed: 400, values: 50, body: append([]byte{0xff, 0xff, 0xff, 0xff, 0x0f}, body[5:]...)}, snappy, connectors.ErrMalformed},
		"zstd that is not one": {page{uncompressed: 400, compressed: 400, values: 50, body: body}, zstd, connectors.ErrMalformed},
		"gzip that is not one": {page{uncompressed: 400, compressed: 400, values: 50, body: body}, gzip, connectors.ErrMalformed},
	} {
		require.ErrorIs(t, c.p.check(c.codec), c.want, name)
	}
}

// TestParquetCompressedBombs: a body that decompresses to more or less than its
// header says, whichever way its codec declares sizes.
func TestParquetCompressedBombs(t *testing.T) {
	const size = 10 << 20
	for _, codec := range []compress.Compression{compress.Codecs.Zstd, compress.Codecs.Gzip} {
		c, err := compress.GetCodec(codec)
		require.NoError(t, err)
		var stream bytes.Buffer // a stream does not declare its size beforehand
		w := c.NewWriter(&stream)
		_, err = w.Write(make([]byte, size))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		once := c.Encode(nil, make([]byte, size))
		for _, body := range [][]byte{stream.Bytes(), once} {
			p := page{compressed: int64(len(body)), values: 50, body: body}
			for _, says := range []int64{0, 100, size - 1, size + 1} {
				p.uncompressed = says
				require.ErrorIs(t, p.check(codec), connectors.ErrMalformed, "%s: %d", codec, says)
			}
			p.uncompressed = size
			require.NoError(t, p.check(codec), codec.String())
			p.body = append(bytes.Clone(body), body...)
			p.compressed *= 2
			if codec == compress.Codecs.Zstd {
				require.ErrorIs(t, p.check(codec), connectors.ErrMalformed, "two frames")
			}
		}
	}
}

func TestZstdWindow(t *testing.T) {
	frame := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0, 1, 0, 0}
	for window, ok := range map[byte]bool{0: true, 17 << 3: true, 18 << 3: false, 31<<3 | 7: false} {
		frame[5] = window
		_, err := zstdFrame(bytes.NewReader(frame), 0, int64(len(frame)))
		require.Equal(t, ok, err == nil, "window %x", window)
	}
}

func TestBudget(t *testing.T) {
	b := newBudget(100)
	buf := b.Allocate(60)
	require.PanicsWithValue(t, overBudget{}, func() { b.Allocate(41) })
	buf = b.Reallocate(100, buf)
	require.PanicsWithValue(t, overBudget{}, func() { b.Reallocate(101, buf) })
	b.Free(buf)
	b.Free(b.Allocate(100))
}
