// Package vault keeps the encrypted leaves of lanes on disk: at the gateway,
// where they are added, and at each holder, who recomputes from a copy of its
// own.
//
// A lane is two files: the leaves, each at the place its batch number gives,
// and an index of those that are whole, with their hashes. A leaf counts as
// held once it and its index record are durable; what a crash cut off is asked
// for again: leaves are synced before their records are written, so that no crash
// leaves a record of a leaf that is not there. A place that is taken takes no
// other bytes. A lock keeps a second process out.
//
// What is protected: a leaf enters only in canonical form, for the key, lane
// and batch it names, and what Read gives has the hash it entered with.
//
// What is not protected: the leaves are ciphertexts and lie as they came;
// whoever holds too many keys reads them. Deleting files loses leaves, which is
// found when they are asked for.
package vault

import "errors"

var (
	// ErrTaken: the place holds other bytes. The provider has to use a new
	// version of the data set.
	ErrTaken = errors.New("place holds another leaf")
	// ErrMissing: the leaf is not held; send it or fetch it.
	ErrMissing = errors.New("leaf is not held")
	// ErrDamaged: the files are not what was written. Restore or remove the lane.
	ErrDamaged = errors.New("vault is damaged")
	// ErrBusy: another process has this vault; stop it or let it do the work.
	ErrBusy = errors.New("vault is in use")
	// ErrClosed: the vault was closed; open it again.
	ErrClosed = errors.New("vault is closed")
	// ErrFull: the vault has reached its bound; nothing was written.
	ErrFull = errors.New("vault is full")
)
