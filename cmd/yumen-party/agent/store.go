package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/yumen-project/yumen/gateway/keyring"
)

var (
	// ErrLocked: another process uses this state; stop it or let it do the work.
	ErrLocked = errors.New("agent: state is in use by another process")
	// ErrState: the state is damaged or sealed under another key. Restore keys and state together.
	ErrState = errors.New("agent: state cannot be read")
	// ErrNoState: there is none yet; run init.
	ErrNoState = errors.New("agent: no state here")
)

const maxRecord = 512 << 20

// Store is a directory of sealed records, each written whole or not at all.
type Store struct {
	dir    string
	sealer *keyring.Sealer
	lock   *os.File
	// step is called before each step that a crash may come before; tests fail there.
	step func(name string) error
}

func openStore(dir string, sealer *keyring.Sealer) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open state: %w", bare(err))
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open state: %w", bare(err))
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(ErrLocked, lock.Close())
	}
	return &Store{dir: dir, sealer: sealer, lock: lock, step: func(string) error { return nil }}, nil
}

// Close lets other processes in.
func (s *Store) Close() error { return s.lock.Close() }

func (s *Store) path(name string) string { return filepath.Join(s.dir, name+".sealed") }

// save seals a record and puts it in place, durably.
func (s *Store) save(name string, plain []byte) error {
	sealed, err := s.sealer.Seal(nil, aad(name), plain)
	if err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	return s.place(name, sealed)
}

func (s *Store) place(name string, sealed []byte) error {
	path := s.path(name)
	f, err := os.OpenFile(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("save state: %w", bare(err))
	}
	if err = s.step("write"); err == nil {
		_, err = f.Write(sealed)
	}
	if err == nil {
		err = s.step("sync")
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("save state: %w", bare(err))
	}
	if err = s.step("rename"); err == nil {
		err = os.Rename(path+".tmp", path)
	}
	if err == nil {
		err = syncDir(s.dir)
	}
	if err == nil {
		err = s.step("done")
	}
	if err != nil {
		return fmt.Errorf("save state: %w", bare(err))
	}
	return nil
}

// load reads a record; fs.ErrNotExist if there is none.
func (s *Store) load(name string) ([]byte, error) { return loadSealed(s.path(name), name, s.sealer) }

func loadSealed(path, name string, sealer *keyring.Sealer) ([]byte, error) {
	sealed, err := readFile(path, maxRecord)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fs.ErrNotExist
		}
		return nil, fmt.Errorf("load state: %w", err)
	}
	plain, err := sealer.Open(nil, aad(name), sealed)
	if err != nil {
		return nil, fmt.Errorf("load state: %w: %w", ErrState, err)
	}
	return plain, nil
}

func (s *Store) remove(name string) error {
	err := os.Remove(s.path(name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove state: %w", bare(err))
	}
	return nil
}

func aad(name string) []byte { return []byte("yumen party state 1\n" + name) }

func readFile(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, bare(err)
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%w: file too large", ErrState)
	}
	b, err := os.ReadFile(path)
	return b, bare(err)
}

// writeFile puts a file in place whole and durably.
func writeFile(path string, b []byte) error {
	f, err := os.OpenFile(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return bare(err)
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return bare(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return bare(err)
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return bare(err)
	}
	return bare(errors.Join(d.Sync(), d.Close()))
}

// bare leaves the path out of an error of the file system.
func bare(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		return le.Err
	}
	return err
}
