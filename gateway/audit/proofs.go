package audit

import (
	"fmt"

	"github.com/transparency-dev/merkle/proof"
)

// maxProof bounds the hashes of a proof: twice the height of the largest tree.
const maxProof = 2 * 48

// VerifyInclusion checks that entry is the leaf at index of the tree that the
// (already verified) checkpoint names: RFC 6962, section 2.1.1, with SM3.
func VerifyInclusion(entry []byte, index uint64, path []Hash, cp *Checkpoint) error {
	if cp == nil || index >= cp.Size {
		return fmt.Errorf("%w: index is not below the tree size", ErrProof)
	}
	if len(path) > maxProof {
		return fmt.Errorf("%w: too many hashes", ErrProof)
	}
	leaf := LeafHash(entry)
	if err := proof.VerifyInclusion(hasher{}, index, cp.Size, leaf[:], asSlices(path), cp.Root[:]); err != nil {
		return fmt.Errorf("%w: inclusion at index %d of %d", ErrProof, index, cp.Size)
	}
	return nil
}

// VerifyConsistency checks that the tree of the older checkpoint is a prefix of
// the tree of the newer one: RFC 6962, section 2.1.2, with SM3. Both
// checkpoints must have been verified before.
func VerifyConsistency(older, newer *Checkpoint, path []Hash) error {
	if older == nil || newer == nil || older.Size > newer.Size {
		return fmt.Errorf("%w: sizes are not in order", ErrProof)
	}
	if len(path) > maxProof {
		return fmt.Errorf("%w: too many hashes", ErrProof)
	}
	if older.Size == 0 && older.Root != emptyRoot() {
		return fmt.Errorf("%w: an empty tree has another root", ErrProof)
	}
	err := proof.VerifyConsistency(hasher{}, older.Size, newer.Size, asSlices(path), older.Root[:], newer.Root[:])
	if err != nil {
		return fmt.Errorf("%w: consistency of %d and %d", ErrProof, older.Size, newer.Size)
	}
	return nil
}

func asSlices(path []Hash) [][]byte {
	out := make([][]byte, len(path))
	for i := range path {
		out[i] = path[i][:]
	}
	return out
}
