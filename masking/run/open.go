package run

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/emmansun/gmsm/sm3"
)

// Load reads the manifest of a finished directory. It does not look at the parts.
func Load(dir string) (*Manifest, error) {
	f, err := osDisk{}.Open(filepath.Join(dir, manifestName))
	if err != nil {
		return nil, fmt.Errorf("masked table: open manifest: %w", err)
	}
	m, err := parseManifest(f)
	if err = errors.Join(err, f.Close()); err != nil || !m.Complete {
		return nil, fmt.Errorf("masked table: manifest: %w", ErrDamaged)
	}
	return m, nil
}

// OpenTable reads a finished directory back: all parts, in order, each checked
// against its length and SM3 before a row of it is given out. Dictionaries and
// large text come back as text; in Parquet, seconds as milliseconds and date64
// as date32.
func OpenTable(ctx context.Context, dir string) (array.RecordReader, *Manifest, error) {
	m, err := Load(dir)
	if err != nil {
		return nil, nil, err
	}
	r, err := openParts(ctx, osDisk{}, dir, m)
	if err != nil {
		return nil, nil, fmt.Errorf("masked table: %w", err)
	}
	return r, m, nil
}

// verify reads a part and compares it with its record.
func verify(ctx context.Context, d disk, dir string, p *Part) error {
	f, err := d.Open(filepath.Join(dir, p.Name))
	if err != nil {
		return fmt.Errorf("open %s: %w", p.Name, errors.Join(ErrDamaged, err))
	}
	h := sm3.New()
	n, err := io.Copy(h, io.LimitReader(reader{ctx, f}, p.Bytes+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("read %s: %w", p.Name, err)
	}
	if n != p.Bytes || hex.EncodeToString(h.Sum(nil)) != p.SM3 {
		return fmt.Errorf("%s: %w", p.Name, ErrDamaged)
	}
	return nil
}

// reader stops when its context ends.
type reader struct {
	ctx context.Context //nolint:containedctx // of one call of verify
	r   io.Reader
}

func (r reader) Read(b []byte) (int, error) {
	if err := context.Cause(r.ctx); err != nil {
		return 0, err
	}
	n, err := r.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = bare(err)
	}
	return n, err
}
