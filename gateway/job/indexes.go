package job

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yumen-project/yumen/compute/lookup"
	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/keyring"
)

// indexVersion tells versions, contents and template sets of a dataset apart. The name of an index is
// its version and a random suffix: a key once destroyed is never asked for again.
func indexVersion(d *governance.Dataset, fingerprint string, p *lookup.Program) string {
	digest := p.Digest()
	sum := scopeOf(d.Version, fingerprint, string(digest[:]))
	return d.ID + "-" + hex.EncodeToString(sum[:8]) + "-"
}

const suffixBytes = 4

// gentleBatch is how many rows are decoded at once while questions are answered: about a millisecond's work.
const gentleBatch = 1024

// openIndex reuses the predecessor's index or one on disk where version, content and templates are the
// same, and builds it aside otherwise.
func (r *Runner) openIndex(ctx context.Context, m *mounted, d *governance.Dataset, source connectors.Source, old *mounted) error {
	if old != nil && old.version == m.version {
		m.set, m.name, m.previous = old.set, old.name, old.previous
		return nil
	}
	index, err := r.findIndex(m, d)
	if index == nil && err == nil {
		index, err = r.buildIndex(ctx, m, d, source)
	}
	if err != nil {
		return err
	}
	if old != nil {
		m.previous = old.name
	}
	m.set = &lookup.Set{}
	_, err = m.set.Swap(index)
	return err
}

// findIndex opens an index of the version that is whole and whose key is there; nil if there is none.
func (r *Runner) findIndex(m *mounted, d *governance.Dataset) (*lookup.Index, error) {
	for _, name := range r.indexesOnDisk(d.ID) {
		if !strings.HasPrefix(name, m.version) {
			continue
		}
		keys, err := r.indexKeys(name)
		if err != nil {
			continue
		}
		index, err := r.opener()(filepath.Join(r.o.IndexDir, name), m.program, d.ID, name, keys, r.o.CacheBytes)
		if err == nil {
			m.name = name
			return index, nil
		}
		if err := r.removeIndex(name); err != nil {
			return nil, errData
		}
	}
	return nil, nil
}

// indexesOnDisk lists the finished indexes of a dataset, newest first.
func (r *Runner) indexesOnDisk(dataset string) []string {
	entries, err := os.ReadDir(r.o.IndexDir)
	if err != nil {
		return nil
	}
	length := len(dataset) + len("-") + 16 + len("-") + 2*suffixBytes
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool {
		return len(e.Name()) != length || !strings.HasPrefix(e.Name(), dataset+"-")
	})
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return modified(b).Compare(modified(a)) })
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names
}

func modified(e os.DirEntry) time.Time {
	info, err := e.Info()
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

func (r *Runner) buildIndex(ctx context.Context, m *mounted, d *governance.Dataset, source connectors.Source) (*lookup.Index, error) {
	var suffix [suffixBytes]byte
	if _, err := io.ReadFull(r.o.Rand, suffix[:]); err != nil {
		return nil, fmt.Errorf("draw index name: %w", err)
	}
	m.name = m.version + hex.EncodeToString(suffix[:])
	dir := filepath.Join(r.o.IndexDir, m.name)
	keys, err := r.indexKeys(m.name)
	if err != nil {
		return nil, err
	}
	scan, gentle := connectors.Scan{Columns: m.program.Columns()}, r.serving.Load()
	if gentle {
		scan.BatchRows = gentleBatch
	}
	reader, err := source.Open(ctx, scan)
	if err != nil {
		return nil, err
	}
	defer reader.Release()
	began := r.o.Clock()
	stats, err := lookup.Build(ctx, reader, m.program, lookup.BuildOptions{Dir: dir, Dataset: d.ID, Version: m.name, Keys: keys, Random: r.o.Rand, MaxInvalidShare: shareOf(d.MaxInvalid), Gentle: gentle})
	if err != nil {
		return nil, err
	}
	if stats.Invalid > 0 {
		r.o.Logger.WarnContext(ctx, "rows without a usable subject left out",
			slog.String("dataset", d.ID), slog.Int64("rows", stats.Invalid), slog.Int64("first", stats.FirstInvalidRow))
	}
	r.o.Logger.InfoContext(ctx, "index built", slog.String("dataset", d.ID), slog.Int64("rows", stats.Rows),
		slog.Int64("subjects", stats.Subjects), slog.Float64("seconds", r.o.Clock().Sub(began).Seconds()))
	return r.opener()(dir, m.program, d.ID, m.name, keys, r.o.CacheBytes)
}

// shareOf reads a decimal share whose form governance has checked; none is 0.
func shareOf(s string) float64 {
	share, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0
	}
	return share
}

// opener is gentle while questions are answered.
func (r *Runner) opener() func(string, *lookup.Program, string, string, lookup.Keys, int64) (*lookup.Index, error) {
	if r.serving.Load() {
		return lookup.OpenGently
	}
	return lookup.Open
}

// indexKeys derives the keys of one index version from a key of the ring; destroying that key makes
// the index unreadable.
func (r *Runner) indexKeys(name string) (lookup.Keys, error) {
	mac, err := r.o.Ring.MAC(keyring.Index, name)
	if err != nil {
		return nil, err
	}
	var master [32]byte
	copy(master[:], mac.Sum(nil, []byte("index master")))
	return lookup.NewKeys(master, name)
}

// retire closes what of old the new state does not use, once the last question on it has ended, and
// then removes from disk, key and all, what is neither in force nor kept for rollback.
func (r *Runner) retire(old, now *mounted) {
	keep := map[string]bool{"": true}
	if now != nil {
		keep[now.name], keep[now.previous] = true, true
	}
	r.background.Go(func() {
		var err error
		if now == nil || now.set != old.set {
			err = old.set.Close()
		}
		for _, name := range []string{old.name, old.previous} {
			if !keep[name] {
				err = errors.Join(err, r.removeIndex(name))
			}
		}
		if err != nil {
			r.o.Logger.Error("retired index not removed", slog.String("dataset", old.cited.ID))
		}
	})
}

func (r *Runner) removeIndex(name string) error {
	return errors.Join(os.RemoveAll(filepath.Join(r.o.IndexDir, filepath.Base(name))), r.o.Ring.Destroy(keyring.Index, name))
}

// adopt takes up, after a start, the newest other version as the one kept for rollback, and removes
// what else lies there.
func (r *Runner) adopt(m *mounted) {
	for _, name := range r.indexesOnDisk(m.cited.ID) {
		switch {
		case name == m.name:
		case m.previous == "":
			m.previous = name
		default:
			if err := r.removeIndex(name); err != nil {
				r.o.Logger.Error("stale index not removed", slog.String("dataset", m.cited.ID))
			}
		}
	}
}
