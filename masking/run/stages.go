package run

import (
	"context"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/yumen-project/yumen/masking"
	"github.com/yumen-project/yumen/masking/inorder"
)

// item is a batch of the input and the rows before it.
type item struct {
	record arrow.Record
	first  int64
}

// result is a masked batch, ready to be written.
type result struct {
	batch  encoded
	report *masking.Report
}

// stages reads src ahead from behind the rows done, and masks and encodes
// several batches at once.
func (j *job) stages(src array.RecordReader) inorder.Config[item, result] {
	f := &feeder{src: src, skip: j.record.RowsRead}
	return inorder.Config[item, result]{
		Workers: j.o.Workers, Bytes: masking.InFlight,
		Source:  f.next,
		Work:    j.treat,
		Drop:    func(i item) { i.record.Release() },
		Discard: func(r result) { r.batch.release() },
	}
}

func (j *job) treat(ctx context.Context, i item) (result, error) {
	defer i.record.Release()
	out, report, err := j.masker.MaskAt(ctx, i.record, i.first)
	if err != nil {
		return result{}, err
	}
	defer out.Release()
	b, err := j.format.encode(out)
	if err != nil {
		return result{}, fmt.Errorf("encode batch: %w", err)
	}
	return result{batch: b, report: report}, nil
}

// feeder reads the input over the rows done.
type feeder struct {
	src  array.RecordReader
	skip int64
	at   int64
}

func (f *feeder) next(ctx context.Context) (item, int64, bool, error) {
	for {
		if err := context.Cause(ctx); err != nil {
			return item{}, 0, false, err
		}
		if !f.src.Next() {
			err := f.src.Err()
			if err != nil {
				err = fmt.Errorf("read input: %w", err)
			} else if f.at < f.skip {
				err = ErrShort
			}
			return item{}, 0, false, err
		}
		rec := f.src.Record()
		from, n := max(0, f.skip-f.at), rec.NumRows()
		if from >= n {
			f.at += n
			continue
		}
		out := item{record: rec.NewSlice(from, n), first: f.at + from}
		f.at += n
		return out, masking.SizeOf(rec), true, nil
	}
}
