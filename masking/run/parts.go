package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync/atomic"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
)

const readRows = 1 << 16

// parts is an array.RecordReader over the parts of a manifest.
type parts struct {
	ctx    context.Context //nolint:containedctx // RecordReader.Next takes none
	disk   disk
	dir    string
	record *Manifest
	refs   atomic.Int64
	schema *arrow.Schema

	next int // part to open
	open source
	rec  arrow.Record
	err  error
}

// source gives the batches of one file; nil at the end.
type source interface {
	batch() (arrow.Record, error)
	schema() *arrow.Schema
	close()
}

func openParts(ctx context.Context, d disk, dir string, m *Manifest) (array.RecordReader, error) {
	p := &parts{ctx: ctx, disk: d, dir: dir, record: m}
	p.refs.Store(1)
	if len(m.Parts) == 0 {
		return nil, ErrDamaged
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	p.schema = p.open.schema()
	return p, nil
}

func (p *parts) advance() error {
	part := &p.record.Parts[p.next]
	if err := verify(p.ctx, p.disk, p.dir, part); err != nil {
		return err
	}
	f, err := p.disk.Open(filepath.Join(p.dir, part.Name))
	if err != nil {
		return fmt.Errorf("open %s: %w", part.Name, err)
	}
	seekable, ok := f.(io.ReadSeeker)
	at, isAt := f.(io.ReaderAt)
	if !ok || !isAt {
		return errors.Join(errors.New("file that cannot be read at a place"), f.Close())
	}
	if p.record.Format == Arrow {
		p.open, err = openIPC(f, ipcSource{seekable, at})
	} else {
		p.open, err = openParquet(p.ctx, f, ipcSource{seekable, at})
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", part.Name, ErrDamaged), f.Close())
	}
	p.next++
	return nil
}

func (p *parts) Retain()               { p.refs.Add(1) }
func (p *parts) Schema() *arrow.Schema { return p.schema }
func (p *parts) Record() arrow.Record  { return p.rec }
func (p *parts) Err() error            { return p.err }

func (p *parts) Release() {
	if p.refs.Add(-1) == 0 {
		p.drop()
		if p.open != nil {
			p.open.close()
			p.open = nil
		}
	}
}

func (p *parts) drop() {
	if p.rec != nil {
		p.rec.Release()
		p.rec = nil
	}
}

func (p *parts) Next() bool {
	p.drop()
	for p.err == nil && p.open != nil {
		if p.err = context.Cause(p.ctx); p.err != nil {
			return false
		}
		if p.rec, p.err = p.open.batch(); p.rec != nil {
			return true
		}
		if p.err != nil {
			return false
		}
		p.open.close()
		p.open = nil
		if p.next < len(p.record.Parts) {
			p.err = p.advance()
		}
	}
	return false
}

// ipcSource is what both libraries read from.
type ipcSource struct {
	io.ReadSeeker
	io.ReaderAt
}

type ipcFile struct {
	f io.Closer
	r *ipc.FileReader
	i int
}

func openIPC(f io.Closer, s ipcSource) (source, error) {
	r, err := ipc.NewFileReader(s)
	if err != nil {
		return nil, err
	}
	return &ipcFile{f: f, r: r}, nil
}

func (s *ipcFile) schema() *arrow.Schema { return s.r.Schema() }

func (s *ipcFile) batch() (arrow.Record, error) {
	if s.i == s.r.NumRecords() {
		return nil, nil
	}
	rec, err := s.r.RecordAt(s.i)
	s.i++
	return rec, err
}

func (s *ipcFile) close() {
	_ = s.r.Close() // only read: nothing can be lost
	_ = s.f.Close()
}

type parquetFile struct {
	f  io.Closer
	rr pqarrow.RecordReader
}

func openParquet(ctx context.Context, f io.Closer, s ipcSource) (source, error) {
	props := parquet.NewReaderProperties(memory.DefaultAllocator)
	props.BufferedStreamEnabled = true
	pf, err := file.NewParquetReader(s, file.WithReadProps(props))
	if err != nil {
		return nil, err
	}
	fr, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{BatchSize: readRows}, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	rr, err := fr.GetRecordReader(ctx, nil, nil)
	if err != nil {
		return nil, err
	}
	return &parquetFile{f: f, rr: rr}, nil
}

func (s *parquetFile) schema() *arrow.Schema { return s.rr.Schema() }

func (s *parquetFile) batch() (arrow.Record, error) {
	if !s.rr.Next() {
		if err := s.rr.Err(); err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read part: %w", err)
		}
		return nil, nil
	}
	rec := s.rr.Record()
	rec.Retain()
	return rec, nil
}

func (s *parquetFile) close() {
	s.rr.Release()
	_ = s.f.Close() // only read: nothing can be lost
}
