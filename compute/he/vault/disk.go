package vault

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// file is what a lane needs of a file. Lanes open theirs for one operation at a
// time: however many lanes a provider begins, they take no descriptors.
type file interface {
	io.ReaderAt
	io.WriterAt
	Size() (int64, error)
	Truncate(size int64) error
	Sync() error
	Close() error
}

// disk is where files lie. Tests put one there that loses what was not synced.
type disk interface {
	// Open opens a file, and makes it where it is missing.
	Open(name string) (file, error)
	// MkdirAll makes a directory and those above it.
	MkdirAll(name string) error
	// SyncDir makes the names in a directory durable.
	SyncDir(name string) error
}

type osDisk struct{}

type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (osDisk) Open(name string) (file, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osDisk) MkdirAll(name string) error { return os.MkdirAll(name, 0o700) }

func (osDisk) SyncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// lock keeps other processes out until it is closed; the end of the process ends it too.
func lock(dir string) (io.Closer, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", bare(err))
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrBusy
		}
		return nil, errors.Join(fmt.Errorf("open vault: %w", err), f.Close())
	}
	return f, nil
}

// with runs work on a file and closes it.
func with(d disk, name string, work func(file) error) error {
	f, err := d.Open(name)
	if err != nil {
		return bare(err)
	}
	err = bare(work(f))
	return errors.Join(err, bare(f.Close()))
}

// bare leaves the path out of an error of the file system.
func bare(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
