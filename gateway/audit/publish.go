package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
)

// publication writes the public material of one checkpoint.
type publication struct {
	l    *Log
	root string
	cp   *Checkpoint
	done map[string]bool // directories to sync
}

// Publish writes the partial tiles and bundles of the newest checkpoint and the
// checkpoint itself into the public directory, durably, and removes partial
// ones of earlier publications. Full tiles are there before it.
func (l *Log) Publish(ctx context.Context) error {
	l.publishing.Lock()
	defer l.publishing.Unlock()
	p := &publication{l: l, root: publicRoot(&l.o), cp: l.Latest(), done: map[string]bool{}}
	if err := l.flush(); err != nil { // all full tiles of the checkpoint
		return fmt.Errorf("publish: %w", err)
	}
	err := p.partials(ctx)
	if err == nil {
		err = p.checkpoint()
	}
	if err == nil {
		err = p.sweep(ctx, p.root, "tile")
	}
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

// Export writes the public material of the newest checkpoint, and nothing else,
// into dir, which must be empty or missing: checkpoint, tile/L/N and
// tile/entries/N. What it writes is made from the frames' entries and the tree,
// so VerifyDir accepts it.
func (l *Log) Export(ctx context.Context, dir string) error {
	if err := l.export(ctx, dir); err != nil {
		return fmt.Errorf("export log: %w", err)
	}
	return nil
}

func (l *Log) export(ctx context.Context, dir string) error {
	l.publishing.Lock()
	defer l.publishing.Unlock()
	if err := l.flush(); err != nil {
		return err
	}
	if err := l.o.store.MkdirAll(dir); err != nil {
		return err
	}
	entries, err := l.o.store.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return errors.New("directory is not empty")
	}
	p := &publication{l: l, root: dir, cp: l.Latest(), done: map[string]bool{}}
	if err := p.fulls(ctx); err != nil {
		return err
	}
	if err := p.partials(ctx); err != nil {
		return err
	}
	return p.checkpoint()
}

// fulls writes every full tile and bundle of the checkpoint's size.
func (p *publication) fulls(ctx context.Context) error {
	for i := uint64(0); i < p.cp.Size>>tileHeight; i++ {
		bundle, leaves, err := p.l.entries(ctx, i<<tileHeight, (i+1)<<tileHeight)
		if err == nil {
			err = p.put(bundleLevel, i, tileWidth, bundle)
		}
		if err == nil {
			err = p.put(0, i, tileWidth, leaves)
		}
		if err != nil {
			return err
		}
	}
	for level := 1; p.cp.Size>>(tileHeight*(level+1)) > 0; level++ {
		for i := uint64(0); i < p.cp.Size>>(tileHeight*(level+1)); i++ {
			if err := p.tile(level, i, tileWidth); err != nil {
				return err
			}
		}
	}
	return nil
}

// partials writes the rightmost tile of each level and the last bundle.
func (p *publication) partials(ctx context.Context) error {
	from := p.cp.Size &^ (tileWidth - 1)
	if from < p.cp.Size {
		bundle, _, err := p.l.entries(ctx, from, p.cp.Size)
		if err == nil {
			err = p.put(bundleLevel, from>>tileHeight, int(p.cp.Size-from), bundle)
		}
		if err != nil {
			return err
		}
	}
	for level := 0; p.cp.Size>>(tileHeight*level) > 0; level++ {
		n := p.cp.Size >> (tileHeight * level)
		if width := int(n & (tileWidth - 1)); width > 0 {
			if err := p.tile(level, n>>tileHeight, width); err != nil {
				return err
			}
		}
	}
	return nil
}

// tile writes a tile from the nodes of the tree.
func (p *publication) tile(level int, index uint64, width int) error {
	data := make([]byte, 0, width*HashSize)
	for i := range uint64(width) {
		h, err := p.l.tree.node(uint(tileHeight*level), index<<tileHeight+i)
		if err != nil {
			return err
		}
		data = append(data, h[:]...)
	}
	return p.put(level, index, width, data)
}

func (p *publication) put(level int, index uint64, width int, data []byte) error {
	name := publicFile(p.root, level, index, width)
	dir := filepath.Dir(name)
	if !p.done[dir] {
		if err := p.l.o.store.MkdirAll(dir); err != nil {
			return err
		}
		p.done[dir] = true
	}
	return replaceFile(p.l.o.store, name, data, true)
}

// checkpoint comes last: what it names is there before it.
func (p *publication) checkpoint() error {
	for dir := range p.done {
		if err := p.l.o.store.SyncDir(dir); err != nil {
			return err
		}
	}
	if err := replaceFile(p.l.o.store, filepath.Join(p.root, "checkpoint"), p.cp.Text, true); err != nil {
		return err
	}
	return p.l.o.store.SyncDir(p.root)
}

// sweep removes partial tiles that are not of the checkpoint's size; dir has
// slashes and is relative to the root.
func (p *publication) sweep(ctx context.Context, root, dir string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := p.l.o.store.ReadDir(filepath.Join(root, filepath.FromSlash(dir)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	left := len(entries)
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if e.IsDir() {
			if err := p.sweep(ctx, root, name); err != nil {
				return err
			}
			continue
		}
		level, index, width, ok := parseTilePath(name)
		if !ok || width == tileWidth || expected(p.cp.Size, level, index, width) {
			continue
		}
		if err := p.l.o.store.Remove(filepath.Join(root, filepath.FromSlash(name))); err != nil {
			return err
		}
		left--
	}
	if left == 0 && path.Ext(dir) == ".p" {
		return p.l.o.store.Remove(filepath.Join(root, filepath.FromSlash(dir)))
	}
	return nil
}
