package lookup

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// Index is one opened index. It is immutable and safe for concurrent use. Once
// it has met damage that came after Open, it answers nothing but ErrCorrupt.
type Index struct {
	p      *Program
	keys   Keys
	m      *manifest
	db     *pebble.DB
	broken atomic.Bool

	mu   sync.Mutex
	free []*reader // idle readers, at most maxIdle

	refs    atomic.Int64 // the owner's and one for each use under way
	dropped sync.Once
	done    chan struct{}
	err     error // of closing; set before done is closed
	release func()
}

const (
	defaultCache = 64 << 20
	maxIdle      = 64
)

// Open opens the index of a dataset version for reading. Every byte of it is
// read and compared with the sealed manifest first, at some 400 MB/s a core;
// what is missing, changed, left half-made, sealed by other keys (ErrCorrupt)
// or made for another dataset, version or program (ErrForeign) is not opened.
// cacheBytes bounds the block cache; 0 is 64 MiB.
func Open(dir string, p *Program, dataset, version string, k Keys, cacheBytes int64) (*Index, error) {
	return opened(open(dir, p, dataset, version, k, cacheBytes, &pace{}))
}

// OpenGently is Open for a process that answers questions meanwhile: it reads the files in one goroutine,
// with pauses.
func OpenGently(dir string, p *Program, dataset, version string, k Keys, cacheBytes int64) (*Index, error) {
	return opened(open(dir, p, dataset, version, k, cacheBytes, &pace{gentle: true}))
}

func opened(ix *Index, err error) (*Index, error) {
	if err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	return ix, nil
}

func open(dir string, p *Program, dataset, version string, k Keys, cacheBytes int64, gait *pace) (*Index, error) {
	m, err := readManifest(dir, k)
	if err != nil {
		return nil, err
	}
	if err := m.expect(p, dataset, version); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, databaseName)
	if err := m.checkFiles(path, gait); err != nil {
		return nil, err
	}
	ix := &Index{p: p, keys: k, m: m, done: make(chan struct{})}
	ix.refs.Store(1)
	ix.release = ix.unref
	o := databaseOptions(&ix.broken)
	o.ReadOnly, o.ErrorIfNotExists = true, true
	o.CacheSize = cacheBytes
	if cacheBytes <= 0 {
		o.CacheSize = defaultCache
	}
	if ix.db, err = pebble.Open(path, o); err != nil {
		return nil, scrub(err)
	}
	if err := ix.checkCount(); err != nil {
		return nil, errors.Join(err, ix.Close())
	}
	return ix, nil
}

// checkCount compares the tables' own count of records with the manifest.
func (ix *Index) checkCount() error {
	levels, err := ix.db.SSTables(pebble.WithProperties())
	if err != nil {
		return scrub(err)
	}
	n := uint64(0)
	for _, level := range levels {
		for _, t := range level {
			n += t.Properties.NumEntries
		}
	}
	if n != uint64(ix.m.Subjects) || ix.broken.Load() {
		return fmt.Errorf("%w: number of records differs from the manifest", ErrCorrupt)
	}
	return nil
}

// Dataset is the id of the dataset that the index answers for.
func (ix *Index) Dataset() string { return ix.m.Dataset }

// Version is the dataset's version.
func (ix *Index) Version() string { return ix.m.Version }

// Program is the program the index was opened with.
func (ix *Index) Program() *Program { return ix.p }

// Subjects is the number of subjects, Withheld how many of them are withheld.
func (ix *Index) Subjects() int64 { return ix.m.Subjects }

// Withheld is the number of subjects answered "withheld".
func (ix *Index) Withheld() int64 { return ix.m.Withheld }

// Close ends the index and returns once its last use has ended. Later questions
// are answered ErrClosed. Whoever holds it by Set.Current gives it back first.
func (ix *Index) Close() error {
	ix.drop()
	<-ix.done
	return ix.err
}

// Done is closed when the index is closed and its last use has ended: only then
// may the keys of its version be destroyed and its directory be removed.
func (ix *Index) Done() <-chan struct{} { return ix.done }

// drop gives up the owner's reference.
func (ix *Index) drop() { ix.dropped.Do(ix.unref) }

func (ix *Index) ref() bool {
	for {
		n := ix.refs.Load()
		if n <= 0 {
			return false
		}
		if ix.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (ix *Index) unref() {
	if ix.refs.Add(-1) != 0 {
		return
	}
	errs := make([]error, 0, len(ix.free)+1)
	for _, r := range ix.free {
		errs = append(errs, r.close())
	}
	ix.free = nil
	ix.err = errors.Join(append(errs, scrub(ix.db.Close()))...)
	close(ix.done)
}

// reader is what one goroutine needs for its lookups.
type reader struct {
	its     [shards]*pebble.Iterator // each within one table; opened when first needed
	hash    *hasher
	open    *sealer
	clear   []byte
	digests [identitySize]byte
}

func (ix *Index) reader() (*reader, error) {
	ix.mu.Lock()
	if n := len(ix.free); n > 0 {
		r := ix.free[n-1]
		ix.free = ix.free[:n-1]
		ix.mu.Unlock()
		return r, nil
	}
	ix.mu.Unlock()
	return &reader{
		hash: newHasher(ix.keys, ix.m.Dataset, ix.p), open: newSealer(ix.keys, ix.m),
		clear: make([]byte, 0, maxRecordSize),
	}, nil
}

// giveBack keeps a reader for the next lookup, unless its iterator has failed.
func (ix *Index) giveBack(r *reader) {
	if r.sound() {
		ix.mu.Lock()
		if len(ix.free) < max(maxIdle, runtime.GOMAXPROCS(0)) {
			ix.free = append(ix.free, r)
			r = nil
		}
		ix.mu.Unlock()
	}
	if r != nil {
		_ = r.close() // its error, if it has one, was the lookup's
	}
}

// shards is how many ranges of keys, even in size since keys are keyed hashes, have iterators of their
// own: an iterator that stays within one table need not open another at every search.
const shards = 16

// shardOf is the range of a key.
func shardOf(k *indexKey) int { return int(k[0]) * shards / 256 }

// iterator is the one for the range of k.
func (r *reader) iterator(ix *Index, k *indexKey) (*pebble.Iterator, error) {
	n := shardOf(k)
	if r.its[n] != nil {
		return r.its[n], nil
	}
	o := &pebble.IterOptions{LowerBound: []byte{byte(n * 256 / shards)}}
	if n < shards-1 {
		o.UpperBound = []byte{byte((n + 1) * 256 / shards)}
	}
	it, err := ix.db.NewIter(o)
	if err != nil {
		return nil, scrub(err)
	}
	r.its[n] = it
	return it, nil
}

// sound says that no iterator has met an error.
func (r *reader) sound() bool {
	for _, it := range r.its {
		if it != nil && it.Error() != nil {
			return false
		}
	}
	return true
}

func (r *reader) close() error {
	var errs []error
	for _, it := range r.its {
		if it != nil {
			errs = append(errs, scrub(it.Close()))
		}
	}
	return errors.Join(errs...)
}
