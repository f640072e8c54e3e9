package file

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/yumen-project/yumen/connectors"
)

// handle is the opened file. What it was when opened is what is read: a path
// replaced later is not looked at again, and a file changed in place is noticed.
type handle struct {
	*os.File
	size int64
	mod  time.Time
}

// openRegular opens a regular file within its bounds. A FIFO or device is
// refused before it is opened, and again afterwards in case it was exchanged.
func openRegular(o *Options) (*handle, error) {
	f, err := openPath(o)
	if err != nil {
		return nil, fmt.Errorf("file: open: %w", withoutPath(err))
	}
	h, err := newHandle(f, o.MaxFileBytes)
	if err != nil {
		_ = f.Close() // only read: nothing can be lost
		return nil, err
	}
	return h, nil
}

var errNotRegular = errors.New("not a regular file")

func openPath(o *Options) (*os.File, error) {
	const flag = os.O_RDONLY | syscall.O_NONBLOCK // a FIFO put here meanwhile must not hang us
	if o.Root == "" {
		if err := regular(os.Stat(o.Path)); err != nil {
			return nil, err
		}
		return os.OpenFile(o.Path, flag, 0)
	}
	root, err := os.OpenRoot(o.Root)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	rel := o.Path
	if filepath.IsAbs(rel) {
		if rel, err = filepath.Rel(o.Root, rel); err != nil {
			return nil, errors.New("path leaves the root")
		}
	}
	if err := regular(root.Stat(rel)); err != nil {
		return nil, err
	}
	return root.OpenFile(rel, flag, 0)
}

// regular judges the answer of a stat.
func regular(st fs.FileInfo, err error) error {
	if err == nil && !st.Mode().IsRegular() {
		return errNotRegular
	}
	return err
}

func newHandle(f *os.File, max int64) (*handle, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("file: stat: %w", withoutPath(err))
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("file: open: %w", errNotRegular)
	}
	if st.Size() > max {
		return nil, fmt.Errorf("file: %w: file over %d bytes", connectors.ErrLimit, max)
	}
	return &handle{File: f, size: st.Size(), mod: st.ModTime()}, nil
}

// unchanged fails if the file was written to since it was opened.
func (h *handle) unchanged() error {
	st, err := h.Stat()
	if err != nil {
		return fmt.Errorf("file: stat: %w", withoutPath(err))
	}
	if st.Size() != h.size || !st.ModTime().Equal(h.mod) {
		return fmt.Errorf("file: %w: file changed while it was read", connectors.ErrMalformed)
	}
	return nil
}

const fingerprintEnd = 64 << 10

func (h *handle) fingerprint(format string) (string, error) {
	d := sha256.New()
	fmt.Fprintf(d, "yumen file v1\n%s\n%d\n%d\n", format, h.size, h.mod.UnixNano())
	head := min(h.size, fingerprintEnd)
	tail := min(h.size-head, fingerprintEnd)
	for _, part := range []*io.SectionReader{
		io.NewSectionReader(h, 0, head),
		io.NewSectionReader(h, h.size-tail, tail),
	} {
		if n, err := io.Copy(d, part); err != nil || n != part.Size() {
			return "", fmt.Errorf("file: fingerprint: %w", errors.Join(io.ErrUnexpectedEOF, withoutPath(err)))
		}
	}
	return hex.EncodeToString(d.Sum(nil)), nil
}

// withoutPath strips the path of the machine from an error of package os.
func withoutPath(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
