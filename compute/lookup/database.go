package lookup

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	tableTarget  = 4 << 20 // bytes of entries for which one table is worth it
	tableRoll    = 1 << 30 // bytes of records after which a new table begins
	maxTables    = shards  // at the start; each may roll
	storageForm  = pebble.FormatTableFormatV6
	indexBlock   = 4 << 20 // bytes; no table's index outgrows it, so one search finds a block
	bottom       = 6       // the level that tables without overlap are ingested to
	mergeDivisor = 8
)

// quiet drops the database's log, which names paths and keys, and remembers
// that it found itself broken: every later answer is then refused.
type quiet struct{ broken *atomic.Bool }

func (quiet) Infof(string, ...any)    {}
func (quiet) Errorf(string, ...any)   {}
func (q quiet) Fatalf(string, ...any) { q.broken.Store(true) }

// databaseOptions: no compression, since sealed bytes have no redundancy; no
// filters, since they would answer faster for absent subjects; no compactions.
func databaseOptions(broken *atomic.Bool) *pebble.Options {
	o := &pebble.Options{
		FormatMajorVersion:          storageForm,
		Logger:                      quiet{broken},
		DisableWAL:                  true,
		DisableAutomaticCompactions: true,
		EventListener: &pebble.EventListener{
			BackgroundError: func(error) { broken.Store(true) },
			DataCorruption:  func(pebble.DataCorruptionInfo) { broken.Store(true) },
		},
	}
	o.Experimental.ReadSamplingMultiplier = -1
	for i := range o.Levels {
		o.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
		o.Levels[i].IndexBlockSize = indexBlock
	}
	o.EnsureDefaults()
	return o
}

// writeDatabase merges the partitions into sorted tables, on all processors,
// and ingests them into a fresh database under dir.
func writeDatabase(ctx context.Context, parts partitions, m *manifest, in *intake, dir string) error {
	tables := 1
	for held := parts.bytes(); tables < maxTables && held > int64(tables)*tableTarget; {
		tables *= 2
	}
	writers := make([]tableWriter, tables)
	per := partitionCount / tables
	procs := workers()
	if in.o.Gentle {
		procs = 1
	}
	err := parallelOn(procs, tables, func(i int) error {
		w := &writers[i]
		*w = tableWriter{
			in: in, id: i, seal: newSealer(in.o.Keys, m), nonces: nonceStream{r: in.random},
			clear: make([]byte, in.p.recordLen()),
		}
		return w.write(ctx, parts, i*per, (i+1)*per)
	})
	if err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	var paths []string
	for i := range writers {
		paths = append(paths, writers[i].paths...)
		in.add(&writers[i].stats)
	}
	return ingest(ctx, filepath.Join(dir, databaseName), paths)
}

func ingest(ctx context.Context, dir string, paths []string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("write index: %w", scrub(err))
	}
	broken := new(atomic.Bool)
	db, err := pebble.Open(dir, databaseOptions(broken))
	if err != nil {
		return fmt.Errorf("write index: %w", scrub(err))
	}
	if len(paths) > 0 {
		err = db.Ingest(ctx, paths)
	}
	if e := db.Close(); err == nil {
		err = e
	}
	if err == nil && broken.Load() {
		err = ErrStorage
	}
	if err != nil {
		return fmt.Errorf("write index: %w", scrub(err))
	}
	return nil
}

func (in *intake) add(s *BuildStats) {
	t := &in.stats
	t.Subjects += s.Subjects
	t.Withheld += s.Withheld
	t.Conflicts += s.Conflicts
	t.FirstConflictRow = earlier(t.FirstConflictRow, s.FirstConflictRow)
}

// tableWriter seals the records of a range of buckets into sorted tables.
type tableWriter struct {
	in     *intake
	id     int
	seal   *sealer
	nonces nonceStream
	clear  []byte
	sealed []byte
	stats  BuildStats
	paths  []string
	table  *sstable.Writer
	size   int64
}

func (w *tableWriter) write(ctx context.Context, parts partitions, from, to int) error {
	limit := int(max(w.in.o.MemoryBytes/mergeDivisor, 1<<20))
	for b := from; b < to; b++ {
		if err := ctx.Err(); err != nil {
			return w.abandon(err)
		}
		w.in.pace.pause()
		entries, err := parts.bucket(b, limit)
		if err != nil {
			return w.abandon(err)
		}
		size := parts[0].size
		for n := 1; len(entries) > 0; n, entries = n+1, entries[size:] {
			if n%gentleRows == 0 {
				w.in.pace.pause()
			}
			if err := w.put(entries[:size]); err != nil {
				return w.abandon(err)
			}
		}
	}
	return w.finish()
}

func (w *tableWriter) put(b []byte) error {
	var e entry
	e.read(b)
	w.stats.Subjects++
	if e.flags&flagWithheld != 0 {
		w.stats.Withheld++
	}
	if e.conflict != 0 {
		w.stats.Conflicts++
		w.stats.FirstConflictRow = earlier(w.stats.FirstConflictRow, e.conflict)
	}
	r := record{flags: e.flags, outcomes: e.outcomes, digests: e.digests}
	r.put(w.clear)
	nonce, err := w.nonces.next()
	if err != nil {
		return err
	}
	w.sealed = w.seal.seal(w.sealed[:0], &e.key, nonce, w.clear)
	if err := w.open(); err != nil {
		return err
	}
	w.size += int64(len(e.key) + len(w.sealed))
	return scrub(w.table.Set(e.key[:], w.sealed))
}

// open begins a table if none is open, and after tableRoll bytes another.
func (w *tableWriter) open() error {
	if w.table != nil && w.size < tableRoll {
		return nil
	}
	if err := w.finish(); err != nil {
		return err
	}
	path := filepath.Join(w.in.spill, fmt.Sprintf("%d-%d.sst", w.id, len(w.paths)))
	f, err := vfs.Default.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return scrub(err)
	}
	o := databaseOptions(new(atomic.Bool)).MakeWriterOptions(bottom, storageForm.MaxTableFormat())
	w.table = sstable.NewWriter(objstorageprovider.NewFileWritable(&spread{File: f}), o)
	w.paths, w.size = append(w.paths, path), 0
	return nil
}

func (w *tableWriter) finish() error {
	if w.table == nil {
		return nil
	}
	t := w.table
	w.table = nil
	return scrub(t.Close())
}

// abandon closes the open table, which the caller of Build never sees.
func (w *tableWriter) abandon(err error) error {
	if e := w.finish(); e != nil {
		return fmt.Errorf("%w (%w)", err, e)
	}
	return err
}
