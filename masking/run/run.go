package run

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"

	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/yumen-project/yumen/masking"
)

// ErrExists: the output directory is there already; remove it or name another.
var ErrExists = errors.New("output exists already")

// ErrOther: the unfinished work in the place belongs to another policy, input
// or format. Finish that run, or remove the .partial directory.
var ErrOther = errors.New("unfinished output of another run")

// ErrBusy: another process is at work on the same output; wait for it.
var ErrBusy = errors.New("another run is at work on this output")

// ErrDamaged: a file is not what was recorded of it. Remove the output and run again.
var ErrDamaged = errors.New("file differs from what was recorded")

// ErrShort: the input ended before the rows an earlier run had already masked.
// It is not the input it was.
var ErrShort = errors.New("input is shorter than before")

// Format is a file format.
type Format string

// The formats.
const (
	Parquet Format = "parquet" // PLAIN, Snappy, no statistics
	Arrow   Format = "arrow"   // IPC file, uncompressed
)

// DefaultPartRows is how many input rows a part covers when Options says nothing.
const DefaultPartRows = 4 << 20

// Open begins a read of a table. The caller releases the reader.
type Open func(ctx context.Context) (array.RecordReader, error)

// Input is what is masked.
type Input struct {
	// Open begins a read from the first row. Every read gives the same rows in
	// the same order; batches may differ. A resumed run reads over the rows done.
	Open Open
	// Digest identifies the content (of a file: its hash or fingerprint) and
	// what else decides the output beside the policy: a policy holds the names
	// of keys, so hash in the versions of the keys. A run resumes only over an
	// input of the same digest.
	Digest [32]byte
	// Rows is the number of rows, for Progress; -1 if not known.
	Rows int64
}

// Stage says what a Measure is taken of.
type Stage string

// The stages.
const (
	Before Stage = "before" // the input
	After  Stage = "after"  // the masked table
)

// Measure puts numbers on a table, such as risk and utility. The numbers go to
// the manifest as they are.
type Measure func(ctx context.Context, s Stage, read Open) (map[string]float64, error)

// Options say where the output goes and how.
type Options struct {
	// Dir is the directory that will hold the finished table. It must not exist;
	// its parent must.
	Dir string
	// Format of the parts; empty means Parquet.
	Format Format
	// PartRows is how many input rows a part covers at least; 0 means
	// DefaultPartRows. A kill loses at most the part being written.
	PartRows int64
	// Workers is how many batches are masked and encoded at once; 0 means one
	// for each processor.
	Workers int
	// Progress, if not nil, is called after every batch, by one goroutine.
	Progress func(Progress)
	// Measure, if not nil, is called for the input and for the masked table
	// once all parts are written.
	Measure Measure
}

// Progress is how far a run is.
type Progress struct {
	Rows    int64 // of the input, masked so far; those of an earlier run included
	Total   int64 // of the input, -1 if not known
	Written int64 // rows in the output
	Parts   int   // complete
	Resumed bool  // an earlier run left something to go on from
}

// Run masks the input into o.Dir and gives its manifest. m must not have been
// compiled from a policy other than the one an interrupted run used. After an
// error, Run may be called again: it resumes, unless the error is one of the
// sentinels above that say otherwise.
func Run(ctx context.Context, m masking.Masker, in Input, o Options) (*Manifest, error) {
	j, err := newJob(m, in, o, osDisk{})
	if err != nil {
		return nil, fmt.Errorf("mask run: %w", err)
	}
	out, err := j.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("mask run: %w", err)
	}
	return out, nil
}

func newJob(m masking.Masker, in Input, o Options, d disk) (*job, error) {
	if m == nil || in.Open == nil || o.Dir == "" {
		return nil, errors.New("masker, input and directory are needed")
	}
	if o.Format == "" {
		o.Format = Parquet
	}
	if o.Format != Parquet && o.Format != Arrow {
		return nil, errors.New("format: want parquet or arrow")
	}
	if o.PartRows < 0 || o.Workers < 0 {
		return nil, errors.New("rows of a part and workers: want 0 or more")
	}
	if o.PartRows == 0 {
		o.PartRows = DefaultPartRows
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	f, err := newFormat(o.Format, m.Schema())
	if err != nil {
		return nil, err
	}
	o.Dir = filepath.Clean(o.Dir)
	return &job{masker: m, in: in, o: o, disk: d, format: f, partial: o.Dir + ".partial"}, nil
}
