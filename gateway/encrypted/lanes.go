package encrypted

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/vault"
)

// laneName names a lane of one version of a dataset.
type laneName struct {
	Dataset string `json:"dataset"`
	Version string `json:"version"`
	Lane    string `json:"lane"`
}

// laneEntry is a line of the file of lanes: which lanes were begun, and under which key.
type laneEntry struct {
	laneName
	Provider   string `json:"provider"`
	Key        Hash   `json:"key"`
	Parameters Hash   `json:"parameters"`
}

// lanes are the lanes that uploads began. Safe for concurrent use.
type lanes struct {
	mu      sync.Mutex
	f       *os.File
	entries map[laneName]*openLane
	count   map[[2]string]int // by dataset and version
	bytes   map[string]int64  // of leaves, by provider; since the start also those that were refused
}

type openLane struct {
	laneEntry
	lane   *vault.Lane
	params *he.Parameters
}

// maxLanes bounds the lanes of one version of a dataset.
const maxLanes = 256

func openLanes(path string, r *Room) (*lanes, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lanes: %w", bare(err))
	}
	l := &lanes{f: f, entries: map[laneName]*openLane{}, count: map[[2]string]int{}, bytes: map[string]int64{}}
	at := int64(0)
	for in := bufio.NewReader(f); ; {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break // a line that a crash cut off names no lane
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open lanes: %w", bare(err)), f.Close())
		}
		var e laneEntry
		if json.Unmarshal(line, &e) != nil {
			break
		}
		if err := l.open(r, &e); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		at += int64(len(line))
	}
	if err := f.Truncate(at); err != nil {
		return nil, errors.Join(fmt.Errorf("open lanes: %w", bare(err)), f.Close())
	}
	_, err = f.Seek(at, io.SeekStart)
	return l, err
}

func (l *lanes) open(r *Room, e *laneEntry) error {
	params := r.parameters(e.Parameters)
	if params == nil {
		return fmt.Errorf("open lanes: %w: parameters", ErrDamaged)
	}
	lane, err := r.vault.Lane(params, e.Key, e.Dataset, e.Version, e.Lane)
	if err != nil {
		return err
	}
	l.entries[e.laneName] = &openLane{*e, lane, params}
	l.count[[2]string{e.Dataset, e.Version}]++
	for _, held := range lane.Held() {
		l.bytes[e.Provider] += int64(held.Count) * int64(params.LeafSize())
	}
	return nil
}

// providerShare is the part of the vault that one provider may fill, so that it locks nobody out.
const providerShare = 4

// take reserves room for a leaf of the provider that is not there yet.
func (l *lanes) take(r *Room, o *openLane, batch uint32) error {
	if _, err := o.lane.Hash(batch); err == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	size := int64(o.params.LeafSize())
	if l.bytes[o.Provider]+size > r.o.MaxLeaves/providerShare {
		return fmt.Errorf("leaf: %w: the provider's part", ErrFull)
	}
	l.bytes[o.Provider] += size
	return nil
}

func (l *lanes) find(n laneName) *openLane {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.entries[n]
}

// begin opens a lane, and makes it durable that it was begun.
func (l *lanes) begin(r *Room, e *laneEntry) (*openLane, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known := l.entries[e.laneName]; known != nil {
		if known.Key != e.Key {
			return nil, fmt.Errorf("lane: %w: another key", ErrTaken)
		}
		return known, nil
	}
	if l.count[[2]string{e.Dataset, e.Version}] >= maxLanes {
		return nil, fmt.Errorf("lane: %w", ErrFull)
	}
	line, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	if _, err = l.f.Write(append(line, '\n')); err == nil {
		err = l.f.Sync()
	}
	if err != nil {
		return nil, fmt.Errorf("lane: %w", bare(err))
	}
	if err := l.open(r, e); err != nil {
		return nil, err
	}
	return l.entries[e.laneName], nil
}
