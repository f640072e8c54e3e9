package encrypted

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/emmansun/gmsm/sm3"
)

// objects keeps bytes of objects in files named by kind and hash. Safe for
// concurrent use; writers are serialised.
type objects struct {
	dir string

	mu   sync.Mutex
	used int64
	max  int64
}

// MaxObject bounds one object in bytes, openings aside.
const MaxObject = 15 << 20

// maxStored bounds what is read back: the openings of the largest plan.
const maxStored = 1 << 30

func openObjects(dir string, limit int64) (*objects, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open objects: %w", bare(err))
	}
	o := &objects{dir: dir, max: limit}
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open objects: %w", bare(err))
	}
	for _, e := range list {
		if info, err := e.Info(); err == nil {
			o.used += info.Size()
		}
	}
	return o, nil
}

func (o *objects) path(k Kind, name Hash) string {
	return filepath.Join(o.dir, k.String()+"-"+name.String())
}

// put makes an object durable. The same bytes twice are one; a damaged file is replaced.
func (o *objects) put(k Kind, name Hash, b []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	path := o.path(k, name)
	if old, err := readFile(path); err == nil {
		if sm3.Sum(old) == sm3.Sum(b) {
			return nil
		}
		o.used -= int64(len(old))
	}
	if o.used+int64(len(b)) > o.max {
		return fmt.Errorf("put object: %w", ErrFull)
	}
	if err := writeFile(path, b); err != nil {
		return fmt.Errorf("put object: %w", bare(err))
	}
	o.used += int64(len(b))
	return nil
}

// get reads an object whose bytes must have the given hash.
func (o *objects) get(k Kind, name, file Hash) ([]byte, error) {
	b, err := readFile(o.path(k, name))
	if err != nil || Hash(sm3.Sum(b)) != file {
		return nil, fmt.Errorf("read %s: %w", k, ErrDamaged)
	}
	return b, nil
}

// size of a stored object, 0 where there is none.
func (o *objects) size(k Kind, name Hash) int64 {
	info, err := os.Stat(o.path(k, name))
	if err != nil {
		return 0
	}
	return info.Size()
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, bare(err)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxStored+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, bare(err)
	}
	if len(b) > maxStored {
		return nil, ErrDamaged
	}
	return b, nil
}

// writeFile makes a file whole or not at all.
func writeFile(path string, b []byte) error {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
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
