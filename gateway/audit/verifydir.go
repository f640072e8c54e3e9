package audit

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"sort"
)

// Claim is something else that is known about the log: an older (or equal)
// checkpoint, and, if Entry is not nil, the entry a receipt says is at Index.
// The checkpoint must have been verified.
type Claim struct {
	Name       string // for the error: a receipt's file name, say
	Checkpoint *Checkpoint
	Index      uint64
	Entry      []byte
}

// DirReport is what a verified directory holds.
type DirReport struct {
	Checkpoint *Checkpoint
	Entries    map[Kind]uint64
	Tiles      uint64
	Bundles    uint64
	FirstTime  int64 // least and greatest time of an entry, Unix milliseconds
	LastTime   int64
	Claims     int
}

// ClaimError names the claim that does not hold.
type ClaimError struct {
	Claim  string
	Reason string
}

// Error names claim and reason, no content.
func (e *ClaimError) Error() string { return "claim " + e.Claim + " does not hold: " + e.Reason }

func claim(name, format string, args ...any) error {
	return &ClaimError{Claim: name, Reason: fmt.Sprintf(format, args...)}
}

// VerifyDir checks public material as Export writes it: the checkpoint's
// signature, the form of every entry, every hash of every tile recomputed from
// the entries, the root, and that there is no file missing and none too many.
// Each claim is checked against the same leaves, so that a fork between an
// older checkpoint or a receipt and this log is found. The first thing that
// does not hold is a *ClaimError; an unreadable file is another error. Memory
// does not grow with the log.
func VerifyDir(ctx context.Context, dir, origin, name string, v Verifier, claims ...Claim) (*DirReport, error) {
	text, err := readFile(disk{}, filepath.Join(dir, "checkpoint"), maxCheckpoint)
	if err != nil {
		return nil, fmt.Errorf("verify log: read checkpoint: %w", err)
	}
	cp, err := ParseCheckpoint(text, origin, name, v)
	if err != nil {
		return nil, claim("log checkpoint", "%v", err)
	}
	c := &dirCheck{dir: dir, tree: newTree(), claims: append([]Claim(nil), claims...), owners: map[uint64][]Claim{},
		report: &DirReport{Checkpoint: cp, Entries: map[Kind]uint64{}, Claims: len(claims)}}
	c.tree.load = func(tileID) (*tile, error) { return nil, ErrDamaged } // nodes behind the edge are not needed
	c.tree.full = c.fullTile
	for _, cl := range claims {
		if cl.Checkpoint == nil {
			return nil, claim(cl.Name, "it has no checkpoint")
		}
		if cl.Entry != nil {
			c.owners[cl.Index] = append(c.owners[cl.Index], cl)
		}
	}
	sort.SliceStable(c.claims, func(i, j int) bool { return c.claims[i].Checkpoint.Size < c.claims[j].Checkpoint.Size })
	if err := c.files(ctx); err != nil {
		return nil, err
	}
	if err := c.leaves(ctx); err != nil {
		return nil, err
	}
	return c.report, nil
}

// dirCheck goes once through the bundles, in order.
type dirCheck struct {
	dir    string
	tree   *tree
	claims []Claim            // by size of checkpoint; those not met yet
	owners map[uint64][]Claim // claims by the index of their entry
	report *DirReport
	err    error // of a full tile
}

// files looks for what does not belong there. What is missing shows when it is
// read.
func (c *dirCheck) files(ctx context.Context) error {
	size := c.report.Checkpoint.Size
	err := filepath.WalkDir(c.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("verify log: list files: %w", bare(err))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		rel, err := filepath.Rel(c.dir, path)
		if err != nil || e.IsDir() {
			return err
		}
		rel = filepath.ToSlash(rel)
		level, index, width, ok := parseTilePath(rel)
		ok = ok && expected(size, level, index, width)
		if !e.Type().IsRegular() || rel != "checkpoint" && !ok {
			return claim("log files", "there is a file that a log of %d entries does not have", size)
		}
		return nil
	})
	return err
}

// leaves reads every bundle and builds the tree.
func (c *dirCheck) leaves(ctx context.Context) error {
	size := c.report.Checkpoint.Size
	if err := c.meet(0); err != nil {
		return err
	}
	for from := uint64(0); from < size; from += tileWidth {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("verify log: %w", err)
		}
		width := int(min(tileWidth, size-from))
		if err := c.bundle(from, width); err != nil {
			return err
		}
		if c.err != nil {
			return c.err
		}
	}
	if err := c.partials(size); err != nil {
		return err
	}
	if len(c.claims) > 0 {
		ahead := c.claims[0]
		return claim(ahead.Name, "its checkpoint covers %d entries, the log has %d", ahead.Checkpoint.Size, size)
	}
	root, err := c.tree.rootAt(size)
	if err != nil {
		return fmt.Errorf("verify log: %w", err)
	}
	if root != c.report.Checkpoint.Root {
		return claim("log root", "entries do not lead to the checkpoint's root")
	}
	return nil
}

func (c *dirCheck) read(level int, index uint64, width, want int) ([]byte, error) {
	what := tilePath(level, index, width)
	data, err := readFile(disk{}, publicFile(c.dir, level, index, width), int64(want))
	if err != nil {
		return nil, claim("log files", "%s is missing or cannot be read", what)
	}
	if len(data) != want {
		return nil, claim("log files", "%s has another length", what)
	}
	return data, nil
}

func (c *dirCheck) bundle(from uint64, width int) error {
	data, err := c.read(bundleLevel, from>>tileHeight, width, width*bundleEntry)
	if err != nil {
		return err
	}
	c.report.Bundles++
	for i := range uint64(width) {
		b := data[i*bundleEntry : (i+1)*bundleEntry]
		if b[0] != 0 || b[1] != EntrySize {
			return claim("log entries", "entry %d has another length", from+i)
		}
		e, err := ParseEntry(b[2:])
		if err != nil {
			return claim("log entries", "entry %d: %v", from+i, err)
		}
		if err := c.entry(from+i, e, b[2:]); err != nil {
			return err
		}
	}
	return nil
}

func (c *dirCheck) entry(index uint64, e Entry, raw []byte) error {
	for _, cl := range c.owners[index] {
		if !bytes.Equal(cl.Entry, raw) {
			return claim(cl.Name, "the log has another entry at index %d", index)
		}
	}
	if c.report.LastTime == 0 || e.Time < c.report.FirstTime {
		c.report.FirstTime = e.Time
	}
	c.report.LastTime = max(c.report.LastTime, e.Time)
	c.report.Entries[e.Kind]++
	c.tree.append([]Hash{LeafHash(raw)})
	return c.meet(index + 1)
}

// meet checks the claims whose checkpoint has exactly this size.
func (c *dirCheck) meet(size uint64) error {
	for len(c.claims) > 0 && c.claims[0].Checkpoint.Size == size {
		cl := c.claims[0]
		root, err := c.tree.rootAt(size)
		if err != nil {
			return fmt.Errorf("verify log: %w", err)
		}
		if root != cl.Checkpoint.Root {
			return claim(cl.Name, "its checkpoint is of another log: a fork at or below %d entries", size)
		}
		if cl.Entry != nil && cl.Index >= size {
			return claim(cl.Name, "its entry is not below its checkpoint's size")
		}
		c.claims = c.claims[1:]
	}
	return nil
}

// fullTile compares a tile of the tree with its file.
func (c *dirCheck) fullTile(id tileID, t *tile) {
	if c.err == nil {
		c.err = c.compare(id.level, id.index, t)
	}
}

func (c *dirCheck) compare(level int, index uint64, t *tile) error {
	got, err := c.read(level, index, t.n, t.n*HashSize)
	if err != nil {
		return err
	}
	c.report.Tiles++
	if !bytes.Equal(got, t.encode(nil)) {
		return claim("log tiles", "%s differs from the entries", tilePath(level, index, t.n))
	}
	return nil
}

func (c *dirCheck) partials(size uint64) error {
	for level, t := range c.tree.edge {
		if t.n == 0 {
			continue
		}
		if err := c.compare(level, size>>(tileHeight*(level+1)), t); err != nil {
			return err
		}
	}
	return nil
}
