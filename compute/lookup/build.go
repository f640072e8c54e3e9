package lookup

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/apache/arrow/go/v17/arrow/array"
)

// BuildStats says what Build saw. Rows are counted from 1; 0 means none.
type BuildStats struct {
	Rows, Subjects, Withheld int64
	// Invalid counts rows whose subject is null or has no canonical form. They
	// are not in the index.
	Invalid         int64
	FirstInvalidRow int64
	// Conflicts counts subjects whose rows disagree on name or phone. The
	// earliest row that has both is the one that counts.
	Conflicts        int64
	FirstConflictRow int64
	// Unmatchable counts rows without a valid name and phone: they match nobody.
	Unmatchable int64
}

// BuildOptions are the parts of a build that are not in the program.
type BuildOptions struct {
	// Dir is where the index will be. It must not exist, or be empty. Until the
	// index is complete it stands in Dir+".building", which Build owns.
	Dir string
	// Dataset and Version (at most 255 bytes each) are bound into every record.
	Dataset, Version string
	Keys             Keys
	// MaxInvalidShare is the tolerated share of rows, from 0 to 1, that are
	// invalid or start a conflict. 0 refuses the first.
	MaxInvalidShare float64
	// MemoryBytes bounds the rows held in memory, 256 MiB if 0. What exceeds it
	// is spilled, sealed, beside the index.
	MemoryBytes int64
	// Progress, if set, is called from one goroutine with the rows read so far.
	Progress func(rows int64)
	// Gentle builds with one goroutine that pauses, so that a process which answers questions meanwhile
	// goes on answering them in time. It takes several times as long.
	Gentle bool
	// Random gives nonces and the build id; nil is crypto/rand.
	Random io.Reader
}

const defaultMemory = 256 << 20

func (o *BuildOptions) check() error {
	switch {
	case o.Dir == "" || o.Keys == nil:
		return errors.New("directory or keys are missing")
	case o.Dataset == "" || len(o.Dataset) > maxName:
		return errors.New("dataset id is not of 1 to 255 bytes")
	case o.Version == "" || len(o.Version) > maxName:
		return errors.New("version is not of 1 to 255 bytes")
	case !(o.MaxInvalidShare >= 0 && o.MaxInvalidShare <= 1):
		return errors.New("tolerated share is not from 0 to 1")
	case o.MemoryBytes < 0:
		return errors.New("memory is negative")
	}
	if o.MemoryBytes == 0 {
		o.MemoryBytes = defaultMemory
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return nil
}

// Build reads src to its end and writes the index of one dataset version to
// o.Dir. It works aside and moves the finished index into place in one step:
// on any error, and after a crash, there is nothing at o.Dir. Errors name the
// step, row, field and rule, never a value. src is not released.
func Build(ctx context.Context, src array.RecordReader, p *Program, o BuildOptions) (*BuildStats, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("build index: %w", err)
	}
	if err := free(o.Dir); err != nil {
		return nil, fmt.Errorf("build index: %w", err)
	}
	aside := o.Dir + ".building"
	if err := os.RemoveAll(aside); err != nil {
		return nil, fmt.Errorf("build index: clear remains: %w", scrub(err))
	}
	stats, err := buildAside(ctx, src, p, &o, aside)
	if err == nil {
		err = moveIntoPlace(aside, o.Dir)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("build index: %w", err), scrub(os.RemoveAll(aside)))
	}
	return stats, nil
}

func buildAside(ctx context.Context, src array.RecordReader, p *Program, o *BuildOptions, dir string) (*BuildStats, error) {
	spill := filepath.Join(dir, "spill")
	if err := os.MkdirAll(spill, 0o700); err != nil {
		return nil, scrub(err)
	}
	m, err := newManifest(p, o)
	if err != nil {
		return nil, err
	}
	in := &intake{
		p: p, o: o, spill: spill,
		random: &lockedReader{r: o.Random},
		pace:   pace{gentle: o.Gentle},
	}
	parts, err := in.read(ctx, src)
	defer parts.close()
	if err != nil {
		return nil, err
	}
	stats := &in.stats
	if err := writeDatabase(ctx, parts, m, in, dir); err != nil {
		return nil, err
	}
	if err := in.tolerate(); err != nil {
		return nil, err
	}
	if err := errors.Join(parts.close(), scrub(os.RemoveAll(spill))); err != nil {
		return nil, err
	}
	return stats, in.finish(m, dir)
}

func newManifest(p *Program, o *BuildOptions) (*manifest, error) {
	digest := p.Digest()
	m := &manifest{Dataset: o.Dataset, Version: o.Version, Program: digest[:], BuildID: make([]byte, buildIDSize)}
	if _, err := io.ReadFull(o.Random, m.BuildID); err != nil {
		return nil, errors.New("random source failed")
	}
	return m, nil
}

// finish writes the manifest, the last file, over a complete database.
func (in *intake) finish(m *manifest, dir string) error {
	nonces := nonceStream{r: in.random}
	nonce, err := nonces.next()
	if err != nil {
		return err
	}
	var zero indexKey
	blank := make([]byte, in.p.recordLen())
	new(record).put(blank)
	m.Decoy = newSealer(in.o.Keys, m).seal(nil, &zero, nonce, blank)
	m.Rows, m.Subjects, m.Withheld = in.stats.Rows, in.stats.Subjects, in.stats.Withheld
	if m.Files, err = digestFiles(filepath.Join(dir, databaseName), &in.pace); err != nil {
		return err
	}
	if nonce, err = nonces.next(); err != nil {
		return err
	}
	if err := m.write(dir, in.o.Keys, nonce); err != nil {
		return err
	}
	return syncDir(dir)
}

// free accepts a directory that does not exist or is empty.
func free(dir string) error {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return scrub(err)
	}
	if len(entries) > 0 {
		return ErrExists
	}
	return nil
}

func moveIntoPlace(aside, dir string) error {
	if err := os.Remove(dir); err != nil && !os.IsNotExist(err) {
		return scrub(err)
	}
	if err := os.Rename(aside, dir); err != nil {
		var le *os.LinkError
		if errors.As(err, &le) {
			return fmt.Errorf("%w: %s: %w", ErrStorage, le.Op, le.Err)
		}
		return scrub(err)
	}
	return syncDir(filepath.Dir(dir))
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return scrub(err)
	}
	defer f.Close()
	return scrub(f.Sync())
}

func workers() int { return runtime.GOMAXPROCS(0) }

// lockedReader lets several goroutines draw from one source of randomness.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return io.ReadFull(l.r, p)
}

// nonceStream hands out random nonces, one goroutine's at a time.
type nonceStream struct {
	r    io.Reader
	buf  [512 * NonceSize]byte
	left []byte
}

// next gives a nonce that is valid until the next call.
func (n *nonceStream) next() ([]byte, error) {
	if len(n.left) == 0 {
		if _, err := io.ReadFull(n.r, n.buf[:]); err != nil {
			return nil, errors.New("random source failed")
		}
		n.left = n.buf[:]
	}
	nonce := n.left[:NonceSize]
	n.left = n.left[NonceSize:]
	return nonce, nil
}
