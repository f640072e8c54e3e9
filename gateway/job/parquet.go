package job

import (
	"bufio"
	"errors"
	"hash"
	"os"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/emmansun/gmsm/sm3"
)

// parquetFile writes masked batches as Parquet; it is created by the first batch.
type parquetFile struct {
	path   string
	file   *os.File
	buf    *bufio.Writer
	writer *pqarrow.FileWriter
}

var errOutput = errors.New("write masked table")

func (p *parquetFile) write(rec arrow.Record) error {
	if p.writer == nil {
		if err := p.create(rec.Schema()); err != nil {
			return err
		}
	}
	if err := p.writer.WriteBuffered(rec); err != nil {
		return errOutput
	}
	return nil
}

func (p *parquetFile) create(schema *arrow.Schema) error {
	var err error
	if p.file, err = os.OpenFile(p.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return errOutput
	}
	p.buf = bufio.NewWriterSize(p.file, 1<<20)
	props := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy), parquet.WithMaxRowGroupLength(128<<10))
	if p.writer, err = pqarrow.NewFileWriter(schema, p.buf, props, pqarrow.NewArrowWriterProperties()); err != nil {
		return errOutput
	}
	return nil
}

// close ends the file and makes it durable. A table of no record has no file.
func (p *parquetFile) close() error {
	if p.writer == nil {
		return nil
	}
	err := errors.Join(p.writer.Close(), p.buf.Flush(), p.file.Sync(), p.file.Close())
	p.writer = nil
	if err != nil && !errors.Is(err, os.ErrClosed) {
		return errOutput
	}
	return nil
}

func newFileHash() hash.Hash { return sm3.New() }
