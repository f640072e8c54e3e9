package file

import (
	"encoding/binary"
	"fmt"
	"io"

	pqfile "github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/metadata"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"github.com/apache/arrow/go/v17/parquet"

	"github.com/yumen-project/yumen/connectors"
)

const (
	maxFooterBytes   = 16 << 20
	maxRowGroups     = 1 << 16
	maxRowGroupRows  = 1 << 31
	maxRowGroupBytes = 8 << 30 // uncompressed, all columns
)

// parquetFile is an opened file whose footer has been checked.
type parquetFile struct {
	h     *handle
	meta  *metadata.FileMetaData
	rdr   *pqfile.Reader
	order []int // for each stored column the index of its declared field
	conv  []converter
}

func bad(rule string) error {
	return fmt.Errorf("file: parquet: %w: %s", connectors.ErrMalformed, rule)
}
func large(rule string) error { return fmt.Errorf("file: parquet: %w: %s", connectors.ErrLimit, rule) }

// checkParquet gives the number of rows.
func (s *source) checkParquet(h *handle) (int64, error) {
	p, err := s.openParquet(h, newBudget(leastBudget))
	if err != nil {
		return 0, err
	}
	return p.meta.NumRows, nil
}

// openParquet reads and checks the footer and compares the schema.
func (s *source) openParquet(h *handle, mem *budget) (p *parquetFile, err error) {
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fromPanic(r)
		}
	}()
	if err := checkFooter(h); err != nil {
		return nil, err
	}
	props := parquet.NewReaderProperties(mem)
	props.BufferedStreamEnabled = true
	rdr, err := pqfile.NewParquetReader(io.NewSectionReader(h, 0, h.size), pqfile.WithReadProps(props))
	if err != nil {
		return nil, bad("unreadable footer")
	}
	p = &parquetFile{h: h, rdr: rdr, meta: rdr.MetaData()}
	p.meta.FileMetaData.KeyValueMetadata = nil // no second schema from the file
	if err := p.checkGroups(); err != nil {
		return nil, err
	}
	return p, s.matchParquet(p)
}

// checkFooter walks the footer before the library builds anything from it.
func checkFooter(h *handle) error {
	if h.size < 12 {
		return bad("file too short")
	}
	var head [4]byte
	var tail [8]byte
	if err := readAt(h, head[:], 0); err != nil {
		return err
	}
	if err := readAt(h, tail[:], h.size-8); err != nil {
		return err
	}
	if string(head[:]) != "PAR1" || string(tail[4:]) != "PAR1" {
		return bad("no magic bytes at both ends (truncated, encrypted, or not Parquet)")
	}
	n := int64(binary.LittleEndian.Uint32(tail[:4]))
	if n > h.size-12 {
		return bad("footer longer than the file")
	}
	if n > maxFooterBytes {
		return large("footer over 16 MiB")
	}
	foot := make([]byte, n)
	if err := readAt(h, foot, h.size-8-n); err != nil {
		return err
	}
	return walkFooter(foot)
}

func readAt(h io.ReaderAt, b []byte, off int64) error {
	n, err := h.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == io.EOF {
		return bad("truncated")
	}
	return fmt.Errorf("file: read: %w", withoutPath(err))
}

// walkFooter checks lengths, depth and the counts of columns and row groups of
// a FileMetaData struct.
func walkFooter(foot []byte) error {
	t := &thriftReader{b: foot}
	seen := map[int64]bool{}
	var over error
	err := t.fields(func(id int64, kind byte) error {
		if seen[id] {
			return errThrift
		}
		seen[id] = true
		if kind == tList && (id == 2 || id == 4) {
			peek := *t
			n, _, err := peek.list()
			switch {
			case err != nil:
				return err
			case id == 2 && n > connectors.MaxFields+1:
				over = large("more than 4096 columns")
			case id == 4 && n > maxRowGroups:
				over = large("more than 65536 row groups")
			}
		}
		if over != nil {
			return errThrift
		}
		return t.skip(kind, 0)
	})
	if over != nil {
		return over
	}
	if err != nil {
		return bad("malformed footer")
	}
	return nil
}

// checkGroups compares row counts, sizes and offsets of all row groups with
// each other and with the file.
func (p *parquetFile) checkGroups() error {
	cols := p.meta.Schema.NumColumns()
	if cols > connectors.MaxFields {
		return large("more than 4096 columns")
	}
	var rows int64
	for i, g := range p.meta.RowGroups {
		if g.NumRows < 0 || len(g.Columns) != cols {
			return bad(fmt.Sprintf("row group %d: wrong row or column count", i+1))
		}
		if g.NumRows > maxRowGroupRows {
			return large(fmt.Sprintf("row group %d: over 2^31 rows", i+1))
		}
		rows += g.NumRows
		if err := p.checkChunks(i); err != nil {
			return err
		}
	}
	if rows != p.meta.NumRows {
		return bad("row groups do not sum to the row count")
	}
	return nil
}

func (p *parquetFile) checkChunks(group int) error {
	g := p.meta.RowGroups[group]
	var total int64
	for i, c := range g.Columns {
		where := fmt.Sprintf("row group %d, column %d: ", group+1, i+1)
		m := c.GetMetaData()
		if m == nil || c.IsSetCryptoMetadata() || c.IsSetFilePath() {
			return bad(where + "no metadata, encrypted, or in another file")
		}
		if parquet.Type(m.Type) != p.meta.Schema.Column(i).PhysicalType() || m.NumValues != g.NumRows {
			return bad(where + "type or count differs from schema or row group")
		}
		start, size := m.DataPageOffset, m.TotalCompressedSize
		if m.IsSetDictionaryPageOffset() && m.GetDictionaryPageOffset() > 0 {
			start = min(start, m.GetDictionaryPageOffset())
		}
		if start < 4 || size < 0 || m.TotalUncompressedSize < 0 || start > p.h.size || size > p.h.size-start {
			return bad(where + "outside the file")
		}
		if m.TotalUncompressedSize > maxRowGroupBytes {
			return large(where + "over 8 GiB uncompressed")
		}
		total += m.TotalUncompressedSize
	}
	if total > maxRowGroupBytes {
		return large(fmt.Sprintf("row group %d: over 8 GiB uncompressed", group+1))
	}
	return nil
}

// matchParquet compares names and types and picks a converter per column.
func (s *source) matchParquet(p *parquetFile) error {
	sc := p.meta.Schema
	root := sc.Root()
	names := make([]string, root.NumFields())
	for i := range names {
		names[i] = root.Field(i).Name()
		if root.Field(i).Type() != 0 || sc.NumColumns() != len(names) || sc.Column(i).MaxRepetitionLevel() > 0 || sc.Column(i).MaxDefinitionLevel() > 1 {
			return &connectors.DriftError{Field: connectors.SafeName(names[i]), Column: i + 1, Rule: "nested or repeated"}
		}
	}
	var err error
	if p.order, err = s.match(names); err != nil {
		return err
	}
	stored, err := pqarrow.FromParquet(sc, nil, nil)
	if err != nil {
		return bad("schema that cannot be read")
	}
	p.conv = make([]converter, len(names))
	for i, f := range p.order {
		want := s.stored.Field(f)
		var rule string
		if sc.Column(i).PhysicalType() == parquet.Types.Int96 {
			rule = "stored as INT96, which is refused"
		} else {
			p.conv[i], rule = newConverter(stored.Field(i).Type, want.Type)
		}
		if rule != "" {
			return &connectors.DriftError{Field: want.Name, Column: i + 1, Rule: rule}
		}
	}
	return nil
}
