package audit

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

const (
	snapshotTag    = "yumen-snapshot-v2"
	snapshotMagic  = "YLN\x02"
	snapshotDir    = "snapshots"
	snapshotSuffix = ".snap"
	snapshotsKept  = 2
	maxSnapshot    = 8 << 30
)

// Snapshot is the state of a machine after the frames below Index. Payload is
// whatever the machine wrote; the log binds it, under the signature of the
// checkpoint key, to its name, the index and the tree's root there.
type Snapshot struct {
	Name  string
	Index uint64
	Root  Hash
	// LastTime is the greatest time of an entry when the snapshot was made.
	LastTime int64
	Payload  []byte
}

// statement is what is signed. Its first line is no origin, so it can never be
// taken for a checkpoint, nor a checkpoint for it.
func (s *Snapshot) statement(origin string, payload Hash) []byte {
	return fmt.Appendf(nil, "%s\n%s\n%s\n%d\n%s\n%d\n%s\n",
		snapshotTag, origin, s.Name, s.Index, s.Root, s.LastTime, payload)
}

// A snapshot file: magic and version (4), zero (4), index (8), root (32), last
// time (8), length of the payload (8), payloadHash (32), signature (64), payload.
// The signature covers all but the length, which payloadHash covers.
const (
	snapshotSum    = 4 + 4 + 8 + HashSize + 8 + 8
	snapshotSigned = snapshotSum + HashSize
	snapshotHeader = snapshotSigned + SignatureSize
)

// head is the file without the payload.
func (s *Snapshot) head(payload Hash, sig []byte) []byte {
	b := make([]byte, 0, snapshotHeader)
	b = append(b, snapshotMagic...)
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint64(b, s.Index)
	b = append(b, s.Root[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(s.LastTime))
	b = binary.BigEndian.AppendUint64(b, uint64(len(s.Payload)))
	b = append(b, payload[:]...)
	return append(b, sig...)
}

// parseSnapshot reads a file of a size and checks form, checksum and signature.
func parseSnapshot(r io.ReaderAt, size int64, name, origin string, v Verifier) (*Snapshot, error) {
	if size < snapshotHeader || size > maxSnapshot {
		return nil, fmt.Errorf("%w: malformed", ErrNoSnapshot)
	}
	b := make([]byte, snapshotHeader)
	if err := readChunk(r, b, 0); err != nil {
		return nil, err
	}
	if string(b[:4]) != snapshotMagic || !allZero(b[4:8]) {
		return nil, fmt.Errorf("%w: malformed", ErrNoSnapshot)
	}
	if binary.BigEndian.Uint64(b[56:snapshotSum]) != uint64(size-snapshotHeader) {
		return nil, fmt.Errorf("%w: length differs", ErrNoSnapshot)
	}
	s := &Snapshot{Name: name, Index: binary.BigEndian.Uint64(b[8:16]), Root: Hash(b[16:48]),
		LastTime: int64(binary.BigEndian.Uint64(b[48:56]))}
	sum := Hash(b[snapshotSum:snapshotSigned])
	if v == nil || !v(s.statement(origin, sum), b[snapshotSigned:]) {
		return nil, fmt.Errorf("%w: signature does not hold", ErrNoSnapshot)
	}
	s.Payload = make([]byte, size-snapshotHeader)
	got, err := payloadHash(s.Payload, func(chunk []byte, off int64) error { return readChunk(r, chunk, snapshotHeader+off) })
	if err != nil {
		return nil, err
	}
	if got != sum {
		return nil, fmt.Errorf("%w: checksum differs", ErrNoSnapshot)
	}
	return s, nil
}

func readChunk(r io.ReaderAt, b []byte, off int64) error {
	if n, err := r.ReadAt(b, off); n < len(b) {
		return fmt.Errorf("file ended early: %w", bare(err))
	}
	return nil
}

func validSnapshotName(name string) bool {
	ok := name != "" && len(name) <= 64
	for _, c := range []byte(name) {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_')
	}
	return ok
}

func snapshotFile(name string, index uint64) string {
	return fmt.Sprintf("%s-%016x%s", name, index, snapshotSuffix)
}

// listSnapshots gives the indices of the snapshots under name, newest first.
func listSnapshots(o *Options, name string) ([]uint64, error) {
	entries, err := o.store.ReadDir(filepath.Join(o.Dir, snapshotDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list snapshots: %w", err)
	}
	var out []uint64
	for _, e := range entries {
		digits, ok := strings.CutPrefix(strings.TrimSuffix(e.Name(), snapshotSuffix), name+"-")
		index, err := strconv.ParseUint(digits, 16, 64)
		if ok && err == nil && snapshotFile(name, index) == e.Name() {
			out = append(out, index)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i] > out[j] })
	return out, nil
}

// LoadSnapshot gives the newest snapshot under name that is whole and signed,
// or ErrNoSnapshot: then replay everything. Bad ones are logged and passed
// over. Give the snapshot to Open as Options.From; a snapshot that the log does
// not bear out makes Open answer a *SealedError.
func LoadSnapshot(ctx context.Context, o Options, name string) (*Snapshot, error) {
	s, _, err := NewestSnapshot(ctx, o, name)
	return s, err
}

// NewestSnapshot is LoadSnapshot, and tells how many newer ones it passed over
// because they were damaged or not signed.
func NewestSnapshot(ctx context.Context, o Options, name string) (s *Snapshot, bad int, err error) {
	o.complete()
	if !validSnapshotName(name) {
		return nil, 0, fmt.Errorf("%w: name is not valid", ErrNoSnapshot)
	}
	list, err := listSnapshots(&o, name)
	if err != nil {
		return nil, 0, err
	}
	for _, index := range list {
		s, err := loadSnapshot(&o, name, index)
		if err == nil {
			return s, bad, nil
		}
		bad++
		o.Logger.LogAttrs(ctx, slog.LevelWarn, "snapshot passed over", slog.String("name", name),
			slog.Uint64("index", index), slog.String("reason", err.Error()))
	}
	return nil, bad, ErrNoSnapshot
}

func loadSnapshot(o *Options, name string, index uint64) (*Snapshot, error) {
	f, err := o.store.OpenFile(filepath.Join(o.Dir, snapshotDir, snapshotFile(name, index)), os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	s, err := parseSnapshot(f, size, name, o.Origin, o.Verify)
	if err == nil && s.Index != index {
		return nil, fmt.Errorf("%w: index differs from the file name", ErrNoSnapshot)
	}
	return s, err
}

// SaveSnapshot stores payload as the state after the frames below index, which
// must be in the log. Name is of a-z, 0-9 and '_'. The newest two under a name
// are kept. The payload must not change while it is written.
func (l *Log) SaveSnapshot(name string, index uint64, payload []byte) error {
	if err := l.saveSnapshot(name, index, payload); err != nil {
		return fmt.Errorf("save snapshot: %w", err)
	}
	return nil
}

func (l *Log) saveSnapshot(name string, index uint64, payload []byte) error {
	if !validSnapshotName(name) || len(payload) > maxSnapshot-snapshotHeader {
		return fmt.Errorf("%w: name or size", ErrRecord)
	}
	if index > l.Size() {
		return ErrNoEntry
	}
	sum, err := payloadHash(payload, nil)
	if err != nil {
		return err
	}
	l.publishing.Lock()
	defer l.publishing.Unlock()
	if err := l.flush(); err != nil {
		return err
	}
	root, err := l.tree.rootAt(index)
	if err != nil {
		return err
	}
	s := &Snapshot{Name: name, Index: index, Root: root, LastTime: l.LastTime(), Payload: payload}
	sig, err := l.o.Signer.Sign(s.statement(l.o.Origin, sum))
	if err != nil || len(sig) != SignatureSize {
		return errors.Join(errors.New("sign"), err)
	}
	dir := filepath.Join(l.o.Dir, snapshotDir)
	if err := l.o.store.MkdirAll(dir); err != nil {
		return err
	}
	if err := replaceParts(l.o.store, filepath.Join(dir, snapshotFile(name, index)), s.head(sum, sig), payload); err != nil {
		return err
	}
	if err := l.o.store.SyncDir(dir); err != nil {
		return err
	}
	return l.dropSnapshots(name)
}

func (l *Log) dropSnapshots(name string) error {
	list, err := listSnapshots(&l.o, name)
	if err != nil {
		return err
	}
	for i := snapshotsKept; i < len(list); i++ {
		if err := l.o.store.Remove(filepath.Join(l.o.Dir, snapshotDir, snapshotFile(name, list[i]))); err != nil {
			return err
		}
	}
	return nil
}
