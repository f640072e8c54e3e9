package job

import (
	"context"
	"errors"
	"math/big"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/yumen-project/yumen/gateway/release/rules"
	"github.com/yumen-project/yumen/masking/risk"
)

// sampleNano is a share in units of 1e-9, rounded up; governance has checked its form.
func sampleNano(rate string) int64 {
	share, ok := new(big.Rat).SetString(rate)
	if !ok {
		return -1
	}
	share.Mul(share, big.NewRat(1_000_000_000, 1))
	up := new(big.Int).Add(share.Num(), new(big.Int).Sub(share.Denom(), big.NewInt(1)))
	return up.Quo(up, share.Denom()).Int64()
}

func smallSample(rate string) bool {
	n := sampleNano(rate)
	return n > 0 && n < rules.SampleBelow
}

// enforceSample hands to sink the records of the sample whose class holds at least k in the population:
// population gives every record of the register as it would be masked, sample those of the members.
func enforceSample(ctx context.Context, population, sample func() (array.RecordReader, error), quasi []string, k int64,
	sink func(arrow.Record) error) (*risk.Report, error) {
	all, err := population()
	if err != nil {
		return nil, err
	}
	defer all.Release()
	classes, err := risk.NewClasses(all.Schema(), quasi)
	if err != nil {
		return nil, err
	}
	for all.Next() {
		if err := errors.Join(ctx.Err(), classes.Add(all.Record())); err != nil {
			return nil, err
		}
	}
	if err := all.Err(); err != nil {
		return nil, err
	}
	members, err := sample()
	if err != nil {
		return nil, err
	}
	defer members.Release()
	report := &risk.Report{}
	for members.Next() {
		if err := errors.Join(ctx.Err(), sinkLarge(classes, members.Record(), k, report, sink)); err != nil {
			return nil, err
		}
	}
	return report, members.Err()
}

// sinkLarge hands on the records of one batch whose class is large enough, on fresh buffers.
func sinkLarge(classes *risk.Classes, rec arrow.Record, k int64, report *risk.Report, sink func(arrow.Record) error) error {
	var kept []int
	for i := range int(rec.NumRows()) {
		size, err := classes.Size(rec, i)
		if err != nil {
			return err
		}
		report.Rows++
		if size < k {
			report.Suppressed++
			continue
		}
		if report.K == 0 || size < report.K {
			report.K = size
		}
		kept = append(kept, i)
	}
	if len(kept) == 0 {
		return nil
	}
	out, err := takeRows(rec, kept)
	if err != nil {
		return err
	}
	defer out.Release()
	return sink(out)
}
