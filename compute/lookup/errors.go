package lookup

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/cockroachdb/pebble/v2"
)

var (
	// ErrProgram: a predicate, its field or its literal is not acceptable; the
	// message names predicate, field and rule. Correct the template.
	ErrProgram = errors.New("program is not acceptable")
	// ErrSchema: the rows do not have the columns or types the program was
	// compiled for. Do not build; report the drift.
	ErrSchema = errors.New("schema differs from the program's")
	// ErrInvalidRows: more rows than tolerated cannot be indexed; the message
	// names the first such row (counted from 1), field and rule.
	ErrInvalidRows = errors.New("rows cannot be indexed")
	// ErrExists: the target directory is already in use. Build elsewhere.
	ErrExists = errors.New("index directory exists")
	// ErrForeign: an authentic index, of another dataset, version or program.
	// Open it with its own.
	ErrForeign = errors.New("index belongs to another dataset, version or program")
	// ErrCorrupt: bytes of the index are missing, changed, or not sealed by
	// these keys. Never take it for "not found"; rebuild or roll back.
	ErrCorrupt = errors.New("index fails authentication")
	// ErrStorage: the file system refused. Retry may help.
	ErrStorage = errors.New("index storage failed")
	// ErrClosed: the index was closed. Take the current one.
	ErrClosed = errors.New("index is closed")
	// ErrQuery: the question is not of the registered form. Do not retry.
	ErrQuery = errors.New("question is not of the registered form")
	// ErrNoIndex: no index is mounted, or none to go back to.
	ErrNoIndex = errors.New("no index is mounted")
)

// scrub turns an error of the storage into one without paths, keys or values.
func scrub(err error) error {
	var pe *fs.PathError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrCorrupt), errors.Is(err, ErrStorage):
		return err
	case pebble.IsCorruptionError(err):
		return ErrCorrupt
	case errors.As(err, &pe):
		return fmt.Errorf("%w: %s: %w", ErrStorage, pe.Op, pe.Err)
	}
	return ErrStorage
}
