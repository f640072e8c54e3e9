package connectors

import (
	"context"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// Defaults and limits of a Scan.
const (
	// DefaultBatchRows is the row bound of a batch when Scan.BatchRows is 0.
	DefaultBatchRows = 8192
	// DefaultBatchBytes is the byte bound of a batch when Scan.MaxBatchBytes is 0.
	DefaultBatchBytes = 8 << 20
	// MaxBatchRows is the largest row bound a Scan may ask for.
	MaxBatchRows = 1 << 20
	// MaxBatchBytes is the largest byte bound a Scan may ask for.
	MaxBatchBytes = 1 << 30
)

// Dataset describes what a Source holds, without reading its rows.
type Dataset struct {
	// Schema is the declared schema, which is also that of a full Scan.
	Schema *arrow.Schema
	// Rows is the number of rows, or -1 where only a full read would tell.
	Rows int64
	// Bytes is the size at rest, as stored.
	Bytes int64
	// Fingerprint is a lower-case hex SHA-256 over a cheap identity of the
	// dataset (each connector documents over what). Equal fingerprints mean
	// that nothing was noticed to change; they do not prove equal content.
	Fingerprint string
}

// Scan says what to read.
type Scan struct {
	// Columns are the columns wanted, in the order wanted; nil means all in
	// declared order. An empty list, an unknown and a repeated name are refused.
	Columns []string
	// BatchRows bounds the rows of a batch; 0 means DefaultBatchRows.
	BatchRows int
	// MaxBatchBytes bounds the payload of a batch (see RowBytes); 0 means
	// DefaultBatchBytes. A single row over the bound is refused with ErrLimit.
	MaxBatchBytes int
}

// Source is one dataset in one system.
type Source interface {
	// Describe checks the stored schema against the declared one as far as that
	// is possible without reading rows, and refuses drift with ErrDrift.
	Describe(ctx context.Context) (*Dataset, error)
	// Open begins a read from the first row. ctx bounds the whole read: once it
	// ends, Next returns false and Err returns its cause.
	//
	// The record of a batch lives until Next or the last Release: Retain it to
	// keep it longer. When Next returns false the caller must ask Err: if it is
	// not nil the read failed as a whole and everything read so far must be
	// discarded. The caller must Release the reader in every case.
	// A reader serves one goroutine at a time.
	Open(ctx context.Context, s Scan) (array.RecordReader, error)
}
