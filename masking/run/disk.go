package run

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// disk is what a run asks of the file system.
type disk interface {
	Mkdir(name string) error
	Create(name string) (handle, error)
	Open(name string) (io.ReadCloser, error)
	Names(dir string) ([]string, error)
	Exists(name string) (bool, error)
	Remove(name string) error
	Rename(from, to string) error
	SyncDir(name string) error
	// Lock holds a lock on a directory, wherever it is renamed to, until the
	// closer is closed; ErrBusy if it is held.
	Lock(name string) (io.Closer, error)
}

// handle is a file being written.
type handle interface {
	io.Writer
	Sync() error
	Close() error
}

type osDisk struct{}

// bare drops the path that errors of package os carry.
func bare(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		return le.Err
	}
	return err
}

func (osDisk) Mkdir(name string) error {
	err := os.Mkdir(name, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return bare(err)
}

func (osDisk) Create(name string) (handle, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, bare(err)
	}
	return osHandle{f}, nil
}

type osHandle struct{ *os.File }

func (h osHandle) Write(b []byte) (int, error) {
	n, err := h.File.Write(b)
	return n, bare(err)
}

func (h osHandle) Sync() error  { return bare(h.File.Sync()) }
func (h osHandle) Close() error { return bare(h.File.Close()) }

func (osDisk) Open(name string) (io.ReadCloser, error) {
	f, err := os.Open(name)
	return f, bare(err)
}

func (osDisk) Names(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, bare(err)
}

func (osDisk) Exists(name string) (bool, error) {
	_, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, bare(err)
}

func (osDisk) Remove(name string) error     { return bare(os.Remove(name)) }
func (osDisk) Rename(from, to string) error { return bare(os.Rename(from, to)) }

func (osDisk) SyncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return bare(err)
	}
	return errors.Join(bare(d.Sync()), bare(d.Close()))
}

func (osDisk) Lock(name string) (io.Closer, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, bare(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close() // nothing was written
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrBusy
		}
		return nil, err
	}
	return f, nil
}
