package audit

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// allocate reserves real blocks, so that a full disk is met before a group is
// written and not in the middle of it.
func allocate(f *os.File, size int64) error {
	err := untilDone(func() error { return unix.Fallocate(int(f.Fd()), 0, 0, size) })
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return f.Truncate(size)
	}
	return err
}

func datasync(f *os.File) error {
	return untilDone(func() error { return unix.Fdatasync(int(f.Fd())) })
}

// untilDone calls again what a signal has interrupted: that is no failure of
// the disk.
func untilDone(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func lock(f *os.File) error {
	err := untilDone(func() error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}
