package audit

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// storage is the way to the disk, small enough to put faults into it.
type storage interface {
	files
	dirs
}

type files interface {
	// OpenFile opens name; flag is of package os, new files get mode 0600.
	OpenFile(name string, flag int) (file, error)
	Rename(from, to string) error
	Remove(name string) error
}

type dirs interface {
	MkdirAll(name string) error
	ReadDir(name string) ([]fs.DirEntry, error)
	// SyncDir makes the names in a directory durable.
	SyncDir(name string) error
}

type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	durable
	sized
}

type durable interface {
	// Sync makes data and the metadata needed to read it durable.
	Sync() error
	// Lock takes the file for this process, or answers ErrLocked.
	Lock() error
}

type sized interface {
	Size() (int64, error)
	Truncate(size int64) error
	// Allocate reserves space up to size and makes the file that long; where
	// the file system cannot reserve, it only makes it longer.
	Allocate(size int64) error
}

// disk is the storage of the operating system.
type disk struct{}

type diskFile struct{ *os.File }

func (disk) OpenFile(name string, flag int) (file, error) {
	f, err := os.OpenFile(name, flag, 0o600)
	if err != nil {
		return nil, bare(err)
	}
	return diskFile{f}, nil
}

func (disk) Rename(from, to string) error { return bare(os.Rename(from, to)) }
func (disk) Remove(name string) error     { return bare(os.Remove(name)) }
func (disk) MkdirAll(name string) error   { return bare(os.MkdirAll(name, 0o700)) }
func (disk) ReadDir(name string) ([]fs.DirEntry, error) {
	d, err := os.ReadDir(name)
	return d, bare(err)
}

func (disk) SyncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return bare(err)
	}
	return bare(errors.Join(d.Sync(), d.Close()))
}

func (f diskFile) Sync() error               { return bare(datasync(f.File)) }
func (f diskFile) Lock() error               { return lock(f.File) }
func (f diskFile) Allocate(size int64) error { return bare(allocate(f.File, size)) }

func (f diskFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, bare(err)
	}
	if !info.Mode().IsRegular() {
		return 0, errors.New("not a regular file")
	}
	return info.Size(), nil
}

// bare takes the path out of a file error.
func bare(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return fmt.Errorf("%s: %w", path.Op, path.Err)
	case errors.As(err, &link):
		return fmt.Errorf("%s: %w", link.Op, link.Err)
	}
	return err
}

// readFile reads a whole file of at most limit bytes.
func readFile(s files, name string, limit int64) ([]byte, error) {
	f, err := s.OpenFile(name, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, fmt.Errorf("file is longer than %d bytes", limit)
	}
	buf := make([]byte, size)
	if n, err := f.ReadAt(buf, 0); int64(n) != size {
		return nil, fmt.Errorf("file ended early: %w", bare(err))
	}
	return buf, nil
}

// replaceFile puts data under name at once: temporary file, sync if durable,
// rename. The directory is not synced.
func replaceFile(s files, name string, data []byte, sync bool) error {
	tmp := name + ".tmp"
	if err := writeFile(s, tmp, data, sync); err != nil {
		return err
	}
	return s.Rename(tmp, name)
}

// replaceParts is replaceFile, made durable, for a file in parts.
func replaceParts(s files, name string, parts ...[]byte) error {
	tmp := name + ".tmp"
	f, err := s.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	var off int64
	for _, part := range parts {
		if err == nil {
			_, err = f.WriteAt(part, off)
			off += int64(len(part))
		}
	}
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(bare(err), f.Close()); err != nil {
		return err
	}
	return s.Rename(tmp, name)
}

// writeFile writes a whole file. A crash may leave any part of it.
func writeFile(s files, name string, data []byte, sync bool) error {
	f, err := s.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(data, 0)
	if err == nil && sync {
		err = f.Sync()
	}
	return errors.Join(bare(err), f.Close())
}

// syncFile makes an existing file durable.
func syncFile(s files, name string) error {
	f, err := s.OpenFile(name, os.O_RDWR)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
