package run

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path/filepath"
	"strings"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/emmansun/gmsm/sm3"

	"github.com/yumen-project/yumen/masking"
	"github.com/yumen-project/yumen/masking/inorder"
)

const (
	tmpSuffix   = ".tmp"
	writeBuffer = 1 << 20
)

// job is one run.
type job struct {
	masker  masking.Masker
	in      Input
	o       Options
	disk    disk
	format  format
	partial string

	record  *Manifest // of complete parts
	resumed bool
	part    *part // being written; nil between parts
}

func (j *job) path(name string) string { return filepath.Join(j.partial, name) }

func (j *job) run(ctx context.Context) (*Manifest, error) {
	lock, err := j.enter()
	if err != nil {
		return nil, err
	}
	err = j.work(ctx)
	if e := lock.Close(); err == nil && e != nil {
		err = errors.New("lock not given back")
	}
	if err != nil {
		return nil, err
	}
	return j.record, nil
}

// enter makes the directory and locks it.
func (j *job) enter() (io.Closer, error) {
	if err := j.absent(); err != nil {
		return nil, err
	}
	if err := j.disk.Mkdir(j.partial); err != nil {
		return nil, fmt.Errorf("make directory: %w", err)
	}
	lock, err := j.disk.Lock(j.partial)
	if err != nil {
		return nil, fmt.Errorf("lock directory: %w", err)
	}
	if err := j.absent(); err != nil { // finished by another run meanwhile
		_ = j.disk.Remove(j.partial) // stays unless empty
		_ = lock.Close()
		return nil, err
	}
	return lock, nil
}

func (j *job) absent() error {
	there, err := j.disk.Exists(j.o.Dir)
	if err != nil {
		return fmt.Errorf("look for output: %w", err)
	}
	if there {
		return ErrExists
	}
	return nil
}

func (j *job) work(ctx context.Context) error {
	if err := j.recover(ctx); err != nil {
		return err
	}
	if j.record.Complete { // killed before it was named
		return j.finish()
	}
	if err := j.stream(ctx); err != nil {
		return err
	}
	if err := j.measure(ctx); err != nil {
		return err
	}
	return j.finish()
}

// recover takes up what an earlier run left, or begins a record.
func (j *job) recover(ctx context.Context) error {
	report := j.masker.Report()
	j.record = newManifest(j.o.Format, j.in.Digest, j.masker.Schema(), &report)
	names, err := j.disk.Names(j.partial)
	if err != nil {
		return fmt.Errorf("list unfinished output: %w", err)
	}
	old, err := j.earlier()
	if err != nil {
		return err
	}
	if old != nil {
		if !j.record.continues(old) {
			return ErrOther
		}
		j.record, j.resumed = old, true
		for i := range old.Parts {
			if err := verify(ctx, j.disk, j.partial, &old.Parts[i]); err != nil {
				return err
			}
		}
	}
	if err := j.tidy(names); err != nil {
		return err
	}
	if old == nil {
		return j.save(progressName)
	}
	return nil
}

// earlier reads the record of an earlier run; nil if there is none.
func (j *job) earlier() (*Manifest, error) {
	for _, name := range []string{manifestName, progressName} {
		there, err := j.disk.Exists(j.path(name))
		if err != nil {
			return nil, fmt.Errorf("look for record: %w", err)
		}
		if !there {
			continue
		}
		f, err := j.disk.Open(j.path(name))
		if err != nil {
			return nil, fmt.Errorf("open record: %w", err)
		}
		old, err := parseManifest(f)
		if err = errors.Join(err, f.Close()); err != nil || old.Complete != (name == manifestName) {
			return nil, fmt.Errorf("record of the earlier run: %w", ErrDamaged)
		}
		return old, nil
	}
	return nil, nil
}

// tidy removes what the record does not hold, and refuses files that no run makes.
func (j *job) tidy(names []string) error {
	for _, name := range names {
		plain := strings.TrimSuffix(name, tmpSuffix)
		known := false
		for i := range j.record.Parts {
			known = known || j.record.Parts[i].Name == name
		}
		switch {
		case known, name == progressName, name == manifestName:
			continue
		case plain != progressName && plain != manifestName && !partNames.MatchString(plain):
			return fmt.Errorf("%w: a file that no run makes", ErrOther)
		}
		if err := j.disk.Remove(j.path(name)); err != nil {
			return fmt.Errorf("remove remains: %w", err)
		}
	}
	return nil
}

// save writes the record under a name, whole or not at all.
func (j *job) save(name string) error {
	raw, err := j.record.encode()
	if err != nil {
		return err
	}
	tmp := j.path(name + tmpSuffix)
	f, err := j.disk.Create(tmp)
	if err != nil {
		return fmt.Errorf("create record: %w", err)
	}
	n, err := f.Write(raw)
	if err == nil && n < len(raw) {
		err = io.ErrShortWrite
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = j.disk.Rename(tmp, j.path(name))
	}
	if err == nil {
		err = j.disk.SyncDir(j.partial)
	}
	if err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	return nil
}

func (j *job) measure(ctx context.Context) error {
	if j.o.Measure == nil {
		return nil
	}
	var err error
	if j.record.Before, err = j.o.Measure(ctx, Before, j.in.Open); err != nil {
		return fmt.Errorf("measure input: %w", err)
	}
	after := func(ctx context.Context) (array.RecordReader, error) {
		return openParts(ctx, j.disk, j.partial, j.record)
	}
	if j.record.After, err = j.o.Measure(ctx, After, after); err != nil {
		return fmt.Errorf("measure output: %w", err)
	}
	return nil
}

// finish makes the directory what its name will say it is.
func (j *job) finish() error {
	j.record.Complete = true
	if err := j.save(manifestName); err != nil {
		return err
	}
	there, err := j.disk.Exists(j.path(progressName))
	if err == nil && there {
		err = j.disk.Remove(j.path(progressName))
	}
	if err != nil {
		return fmt.Errorf("remove record: %w", err)
	}
	if err := j.disk.SyncDir(j.partial); err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	if err := j.disk.Rename(j.partial, j.o.Dir); err != nil {
		return fmt.Errorf("name output: %w", err)
	}
	if err := j.disk.SyncDir(filepath.Dir(j.o.Dir)); err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}

// part is the file being written.
type part struct {
	name   string
	file   handle
	buffer *bufio.Writer
	sum    hash.Hash
	size   int64
	writer partWriter
	rows   int64
	report masking.Report
}

// Write takes what leaves the buffer.
func (p *part) Write(b []byte) (int, error) {
	n, err := p.file.Write(b)
	p.sum.Write(b[:n])
	p.size += int64(n)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return n, err
}

func (j *job) begin() error {
	p := &part{name: partName(len(j.record.Parts), j.o.Format), sum: sm3.New()}
	p.report.Columns = make([]masking.ColumnReport, len(j.record.Columns))
	var err error
	if p.file, err = j.disk.Create(j.path(p.name + tmpSuffix)); err != nil {
		return fmt.Errorf("create %s: %w", p.name, err)
	}
	p.buffer = bufio.NewWriterSize(p, writeBuffer)
	if p.writer, err = j.format.begin(p.buffer); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", p.name, err), p.file.Close())
	}
	j.part = p
	return nil
}

// abandon closes a part that will not be finished; its .tmp is removed by the
// next run.
func (j *job) abandon() {
	if j.part != nil {
		_ = j.part.file.Close() // the error that led here is the one to tell
		j.part = nil
	}
}

// end completes the part and records it.
func (j *job) end() error {
	p := j.part
	err := p.writer.close()
	if err == nil {
		err = p.buffer.Flush()
	}
	if err == nil {
		err = p.file.Sync()
	}
	j.part = nil
	if err = errors.Join(err, p.file.Close()); err == nil {
		err = j.disk.Rename(j.path(p.name+tmpSuffix), j.path(p.name))
	}
	if err == nil {
		err = j.disk.SyncDir(j.partial)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", p.name, err)
	}
	j.record.add(Part{Name: p.name, Rows: p.rows, Read: p.report.Rows, Bytes: p.size, SM3: hex.EncodeToString(p.sum.Sum(nil))}, &p.report)
	return j.save(progressName)
}

// stream masks the rows that are not done.
func (j *job) stream(ctx context.Context) error {
	src, err := j.in.Open(ctx)
	if err != nil {
		return fmt.Errorf("open input: %w", err)
	}
	defer src.Release()
	defer j.abandon()
	pipe := inorder.New(ctx, j.stages(src))
	defer pipe.Close()
	for {
		r, ok, err := pipe.Next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		err = j.take(r)
		r.batch.release()
		if err != nil {
			return err
		}
	}
	if j.part == nil && len(j.record.Parts) == 0 { // an empty table has a schema too
		if err := j.begin(); err != nil {
			return err
		}
	}
	if j.part != nil {
		return j.end()
	}
	return nil
}

// take writes a masked batch, and ends the part when it is full.
func (j *job) take(r result) error {
	if j.part == nil {
		if err := j.begin(); err != nil {
			return err
		}
	}
	p := j.part
	if err := p.writer.write(r.batch); err != nil {
		return fmt.Errorf("write %s: %w", p.name, err)
	}
	p.rows += r.batch.rows()
	p.report.Add(r.report)
	read, written := j.record.RowsRead+p.report.Rows, j.record.Rows+p.rows
	if p.report.Rows >= j.o.PartRows {
		if err := j.end(); err != nil {
			return err
		}
	}
	if j.o.Progress != nil {
		j.o.Progress(Progress{Rows: read, Total: j.in.Rows, Written: written, Parts: len(j.record.Parts), Resumed: j.resumed})
	}
	return nil
}
