package audit

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

// memStore is a disk in memory that knows what is durable: writes reach the
// platter with Sync, names with SyncDir. crash makes a new disk of what a power
// failure may leave: of the rest any part, in sectors. hook may fail any
// operation.
type memStore struct {
	mu    sync.Mutex
	names map[string]*memFile // as the process sees them
	log   []nameOp            // since the last SyncDir
	kept  map[string]*memFile // names that are durable
	hook  func(op, name string) error
}

type nameOp struct {
	name string
	file *memFile // nil: removed
	from string   // of a rename
}

type memFile struct {
	data    []byte
	durable []byte
	pending []memWrite
	locked  bool
}

type memWrite struct {
	off  int64
	data []byte // nil: truncated or grown to off
}

const sector = 512

func newMemStore() *memStore {
	return &memStore{names: map[string]*memFile{}, kept: map[string]*memFile{}}
}

func (m *memStore) enter(op, name string) error {
	if m.hook == nil {
		return nil
	}
	return m.hook(op, name)
}

func (m *memStore) OpenFile(name string, flag int) (file, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if flag&os.O_CREATE != 0 {
		if err := m.enter("create", name); err != nil {
			return nil, err
		}
	} else if err := m.enter("open", name); err != nil {
		return nil, err
	}
	f, ok := m.names[name]
	if !ok {
		if flag&os.O_CREATE == 0 {
			return nil, fs.ErrNotExist
		}
		f = &memFile{}
		m.names[name] = f
		m.log = append(m.log, nameOp{name: name, file: f})
	}
	if flag&os.O_TRUNC != 0 {
		f.resize(0)
	}
	return &memHandle{m: m, f: f, name: name}, nil
}

func (m *memStore) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.enter("rename", to); err != nil {
		return err
	}
	f, ok := m.names[from]
	if !ok {
		return fs.ErrNotExist
	}
	delete(m.names, from)
	m.names[to] = f
	m.log = append(m.log, nameOp{name: to, file: f, from: from})
	return nil
}

func (m *memStore) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.enter("remove", name); err != nil {
		return err
	}
	delete(m.names, name)
	m.log = append(m.log, nameOp{name: name})
	return nil
}

func (m *memStore) MkdirAll(string) error { return nil }

func (m *memStore) ReadDir(name string) ([]fs.DirEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.enter("readdir", name); err != nil {
		return nil, err
	}
	seen := map[string]fs.DirEntry{}
	for path := range m.names {
		if rest, ok := strings.CutPrefix(path, name+string(filepath.Separator)); ok {
			first, _, deeper := strings.Cut(rest, string(filepath.Separator))
			seen[first] = memEntry{first, deeper}
		}
	}
	out := make([]fs.DirEntry, 0, len(seen))
	for _, e := range seen {
		out = append(out, e)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name() < out[j].Name() })
	return out, nil
}

func (m *memStore) SyncDir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.enter("syncdir", name); err != nil {
		return err
	}
	apply(m.kept, m.log)
	m.log = nil
	return nil
}

func apply(names map[string]*memFile, ops []nameOp) {
	for _, op := range ops {
		delete(names, op.from)
		if op.file == nil {
			delete(names, op.name)
			continue
		}
		names[op.name] = op.file
	}
}

// crash gives the disk after a power failure.
func (m *memStore) crash(r *rand.Rand) *memStore {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := newMemStore()
	names := map[string]*memFile{}
	for name, f := range m.kept {
		names[name] = f
	}
	apply(names, m.log[:r.IntN(len(m.log)+1)])
	for name, f := range names {
		data := f.after(r)
		g := &memFile{data: data, durable: append([]byte(nil), data...)}
		out.names[name], out.kept[name] = g, g
	}
	return out
}

// after is the durable content with a part of the pending writes, each sector
// of which may be there or not.
func (f *memFile) after(r *rand.Rand) []byte {
	data := append([]byte(nil), f.durable...)
	all := r.IntN(4) == 0
	for _, w := range f.pending {
		if w.data == nil {
			if all || r.IntN(2) == 0 {
				data = resize(data, w.off)
			}
			continue
		}
		for at := 0; at < len(w.data); {
			n := min(len(w.data)-at, sector-int((w.off+int64(at))%sector))
			if all || r.IntN(2) == 0 {
				end := w.off + int64(at+n)
				if int64(len(data)) < end {
					data = resize(data, end)
				}
				copy(data[w.off+int64(at):], w.data[at:at+n])
			}
			at += n
		}
	}
	return data
}

func resize(b []byte, n int64) []byte {
	if int64(len(b)) >= n {
		return b[:n:n]
	}
	return append(b, make([]byte, n-int64(len(b)))...)
}

func (f *memFile) resize(n int64) {
	f.data = resize(f.data, n)
	f.pending = append(f.pending, memWrite{off: n})
}

type memHandle struct {
	m    *memStore
	f    *memFile
	name string
	held bool
}

func (h *memHandle) ReadAt(p []byte, off int64) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if err := h.m.enter("read", h.name); err != nil {
		return 0, err
	}
	if off >= int64(len(h.f.data)) {
		return 0, io.EOF
	}
	n := copy(p, h.f.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// errTorn makes WriteAt write a part and then fail.
var errTorn = errors.New("torn write")

func (h *memHandle) WriteAt(p []byte, off int64) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	err := h.m.enter("write", h.name)
	if errors.Is(err, errTorn) {
		p, err = p[:len(p)/2], syscall.EIO
	} else if err != nil {
		return 0, err
	}
	if end := off + int64(len(p)); int64(len(h.f.data)) < end {
		h.f.data = resize(h.f.data, end)
	}
	copy(h.f.data[off:], p)
	h.f.pending = append(h.f.pending, memWrite{off, append([]byte{}, p...)})
	return len(p), err
}

func (h *memHandle) Sync() error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if err := h.m.enter("sync", h.name); err != nil {
		return err
	}
	h.f.durable = append([]byte(nil), h.f.data...)
	h.f.pending = nil
	return nil
}

func (h *memHandle) Truncate(n int64) error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if err := h.m.enter("truncate", h.name); err != nil {
		return err
	}
	h.f.resize(n)
	return nil
}

func (h *memHandle) Allocate(n int64) error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if err := h.m.enter("allocate", h.name); err != nil {
		return err
	}
	if int64(len(h.f.data)) < n {
		h.f.resize(n)
	}
	return nil
}

func (h *memHandle) Size() (int64, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	return int64(len(h.f.data)), nil
}

func (h *memHandle) Lock() error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if h.f.locked {
		return ErrLocked
	}
	h.f.locked, h.held = true, true
	return nil
}

func (h *memHandle) Close() error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if h.held {
		h.f.locked = false
	}
	return nil
}

type memEntry struct {
	name string
	dir  bool
}

func (e memEntry) Name() string               { return e.name }
func (e memEntry) IsDir() bool                { return e.dir }
func (e memEntry) Type() fs.FileMode          { return e.Mode() & fs.ModeType }
func (e memEntry) Info() (fs.FileInfo, error) { return e, nil }
func (e memEntry) Size() int64                { return 0 }
func (e memEntry) ModTime() time.Time         { return time.Time{} }
func (e memEntry) Sys() any                   { return nil }
func (e memEntry) Mode() fs.FileMode {
	if e.dir {
		return fs.ModeDir
	}
	return 0
}
