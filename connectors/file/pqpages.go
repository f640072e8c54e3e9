package file

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/metadata"
)

const (
	maxPageBytes   = 64 << 20 // of a page, compressed or not
	maxPageHeader  = 1 << 20
	firstPageBytes = 4 << 10

	pageData, pageDict, pageDataV2 = 0, 2, 3
)

// pageHeader is what is needed of a Parquet PageHeader.
type pageHeader struct {
	kind, uncompressed, compressed, values int64
	encoding                               int64
	crc                                    int64
	hasCRC                                 bool
	nulls, rows, defLen, repLen            int64 // data page v2
	plain                                  bool  // data page v2: its values are not compressed
	kinds                                  int   // how many bodies the header has
}

func parsePageHeader(t *thriftReader) (h pageHeader, err error) {
	h.kind = -1
	err = t.fields(func(id int64, kind byte) error {
		switch {
		case kind == tI32 && id >= 1 && id <= 4:
			v, err := t.int()
			switch id {
			case 1:
				h.kind = v
			case 2:
				h.uncompressed = v
			case 3:
				h.compressed = v
			case 4:
				h.crc, h.hasCRC = v, true
			}
			return err
		case kind == tStruct && (id == 5 || id == 7 || id == 8):
			h.kinds++
			return t.fields(func(sub int64, k byte) error { return h.body(t, id, sub, k) })
		}
		return t.skip(kind, 0)
	})
	return h, err
}

// body reads a field of one of the three kinds of header.
func (h *pageHeader) body(t *thriftReader, in, id int64, kind byte) error {
	if kind != tI32 {
		if in == 8 && id == 7 && kind == tFalse {
			h.plain = true
		}
		return t.skip(kind, 1)
	}
	v, err := t.int()
	switch {
	case id == 1:
		h.values = v
	case in == 8 && id == 2:
		h.nulls = v
	case in == 8 && id == 3:
		h.rows = v
	case in == 8 && id == 4, in != 8 && id == 2:
		h.encoding = v
	case in == 8 && id == 5:
		h.defLen = v
	case in == 8 && id == 6:
		h.repLen = v
	}
	return err
}

// chunk is a column chunk under examination.
type chunk struct {
	r        io.ReaderAt
	pos, end int64
	codec    compress.Compression
	rows     int64
	dict     bool
}

// checkPages reads every page header of a column chunk and compares it with the
// chunk, the file and the compressed body, so that the library is not led to
// allocate, or to fill in, what is not there. It gives the largest page.
func checkPages(ctx context.Context, r io.ReaderAt, m *metadata.ColumnChunkMetaData) (largest int64, err error) {
	start := m.DataPageOffset()
	if m.HasDictionaryPage() && m.DictionaryPageOffset() > 0 {
		start = min(start, m.DictionaryPageOffset())
	}
	c := &chunk{r: r, pos: start, end: start + m.TotalCompressedSize(), codec: m.Compression()}
	switch c.codec {
	case compress.Codecs.Uncompressed, compress.Codecs.Snappy, compress.Codecs.Zstd, compress.Codecs.Gzip:
	default:
		return 0, bad("codec other than snappy, zstd or gzip")
	}
	for c.rows < m.NumValues() {
		if err := context.Cause(ctx); err != nil {
			return 0, err
		}
		h, err := c.page()
		if err != nil {
			return 0, err
		}
		largest = max(largest, h.uncompressed)
	}
	if c.rows != m.NumValues() {
		return 0, bad("pages do not sum to the row count")
	}
	return largest, nil
}

// page checks the page at c.pos and steps over it.
func (c *chunk) page() (pageHeader, error) {
	h, n, err := c.header()
	if err != nil {
		return h, err
	}
	c.pos += n
	if err := c.checkHeader(&h); err != nil {
		return h, err
	}
	if err := c.checkBody(&h); err != nil {
		return h, err
	}
	c.pos += h.compressed
	return h, nil
}

func (c *chunk) header() (pageHeader, int64, error) {
	for size := int64(firstPageBytes); ; size *= 4 {
		buf := make([]byte, min(size, c.end-c.pos))
		if err := readAt(c.r, buf, c.pos); err != nil {
			return pageHeader{}, 0, err
		}
		t := &thriftReader{b: buf}
		h, err := parsePageHeader(t)
		if err == nil {
			return h, int64(t.pos), nil
		}
		if int64(len(buf)) < size || size > maxPageHeader {
			return pageHeader{}, 0, bad("malformed page header")
		}
	}
}

func (c *chunk) checkHeader(h *pageHeader) error {
	if h.compressed < 0 || h.uncompressed < 0 || h.values < 0 || h.kinds != 1 || h.compressed > c.end-c.pos {
		return bad("page header that does not fit its column")
	}
	if h.uncompressed > maxPageBytes || h.compressed > maxPageBytes {
		return large("page over 64 MiB")
	}
	switch h.kind {
	case pageDict:
		if c.dict || c.rows > 0 || h.values > h.uncompressed || (h.encoding != 0 && h.encoding != 2) {
			return bad("dictionary page that does not fit its column")
		}
		c.dict = true
		return nil
	case pageData:
		h.plain = c.codec == compress.Codecs.Uncompressed
	case pageDataV2:
		h.plain = h.plain || c.codec == compress.Codecs.Uncompressed
		levels := h.defLen + h.repLen
		if h.defLen < 0 || h.repLen != 0 || levels > h.uncompressed || levels > h.compressed || h.nulls < 0 || h.nulls > h.values || h.rows != h.values {
			return bad("page header that does not fit its column")
		}
	default:
		return bad("page of an unknown kind")
	}
	if h.values == 0 {
		return bad("empty page")
	}
	return c.checkEncoding(h)
}

func (c *chunk) checkEncoding(h *pageHeader) error {
	switch h.encoding {
	case 0, 3: // PLAIN, RLE
	case 2, 8: // dictionary
		if !c.dict {
			return bad("dictionary indices without a dictionary")
		}
	default:
		return bad("encoding other than plain or dictionary")
	}
	c.rows += h.values
	return nil
}

// checkBody verifies the checksum, if there is one, and that the body
// decompresses to the size its header says.
func (c *chunk) checkBody(h *pageHeader) error {
	stored := h.compressed - h.defLen
	want := h.uncompressed - h.defLen
	if h.hasCRC {
		d := crc32.NewIEEE()
		if _, err := io.Copy(d, io.NewSectionReader(c.r, c.pos, h.compressed)); err != nil {
			return fmt.Errorf("file: read: %w", withoutPath(err))
		}
		if d.Sum32() != uint32(h.crc) {
			return bad("page checksum is wrong")
		}
	}
	if c.codec == compress.Codecs.Uncompressed || h.kind == pageDataV2 && h.plain {
		if stored != want {
			return bad("page size differs from its header")
		}
		return nil
	}
	if want == 0 {
		if stored > 16 { // the library reads a body of no declared size to its end
			return bad("page size differs from its header")
		}
	}
	return c.checkCompressed(c.pos+h.defLen, stored, want)
}

func (c *chunk) checkCompressed(at, stored, want int64) error {
	if c.codec == compress.Codecs.Snappy {
		var b [10]byte
		n := min(stored, int64(len(b)))
		if err := readAt(c.r, b[:n], at); err != nil {
			return err
		}
		if v, k := binary.Uvarint(b[:n]); k <= 0 || v != uint64(want) {
			return bad("page size differs from its header")
		}
		return nil
	}
	if c.codec == compress.Codecs.Zstd {
		if says, err := zstdFrame(c.r, at, stored); says == want || err != nil {
			return err
		} else if says >= 0 {
			return bad("page size differs from its header")
		}
	}
	return c.measure(at, stored, want)
}

// measure decompresses as a stream and counts, keeping nothing.
func (c *chunk) measure(at, stored, want int64) error {
	body := make([]byte, stored)
	if err := readAt(c.r, body, at); err != nil {
		return err
	}
	z, err := c.stream(bytes.NewReader(body))
	if err != nil {
		return bad("page that cannot be decompressed")
	}
	defer z.Close()
	n, err := io.Copy(io.Discard, io.LimitReader(z, want+1))
	if err != nil || n != want {
		return bad("page size differs from its header")
	}
	return nil
}

// stream opens a compressed body. (The library's own gzip reader panics on a bad
// header.)
func (c *chunk) stream(body io.Reader) (io.ReadCloser, error) {
	if c.codec == compress.Codecs.Gzip {
		return gzip.NewReader(body)
	}
	codec, err := compress.GetCodec(c.codec)
	if err != nil {
		return nil, err
	}
	return codec.NewReader(body), nil
}
