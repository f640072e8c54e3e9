package lookup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/emmansun/gmsm/sm3"
)

const (
	manifestName  = "manifest"
	databaseName  = "db"
	lockName      = "LOCK" // of the database; empty, made by whoever opens it
	manifestMagic = "yumenidx\x01"
	manifestForm  = "yumen/lookup/manifest/1"
	maxManifest   = 16 << 20
	maxName       = 255 // bytes of a dataset id or a version
	buildIDSize   = 16
)

// manifest is the sealed description of an index. It names every file of the
// database with its digest, so that no byte of it is parsed unauthenticated.
type manifest struct {
	Dataset  string      `json:"dataset"`
	Version  string      `json:"version"`
	Program  []byte      `json:"program"` // digest
	BuildID  []byte      `json:"build"`   // random; tells two builds of one version apart
	Rows     int64       `json:"rows"`
	Subjects int64       `json:"subjects"`
	Withheld int64       `json:"withheld"`
	Decoy    []byte      `json:"decoy"` // a sealed record under the zero key, opened for absent subjects
	Files    []fileEntry `json:"files"`
}

type fileEntry struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	Digest []byte `json:"sm3"`
}

// write seals the manifest into dir and makes it durable.
func (m *manifest) write(dir string, keys Keys, nonce []byte) error {
	clear, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode manifest: %w", err)
	}
	b := append([]byte(manifestMagic), nonce...)
	b = keys.Seal(b, nonce, clear, []byte(manifestForm))
	f, err := os.OpenFile(filepath.Join(dir, manifestName), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return scrub(err)
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return scrub(err)
}

func readManifest(dir string, keys Keys) (*manifest, error) {
	f, err := os.Open(filepath.Join(dir, manifestName))
	if os.IsNotExist(err) {
		return nil, fmt.Errorf("%w: manifest is missing", ErrCorrupt)
	}
	if err != nil {
		return nil, scrub(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxManifest+1))
	if err != nil {
		return nil, scrub(err)
	}
	return decodeManifest(b, keys)
}

func decodeManifest(b []byte, keys Keys) (*manifest, error) {
	sealed, ok := bytes.CutPrefix(b, []byte(manifestMagic))
	if !ok || len(b) > maxManifest || len(sealed) < NonceSize+TagSize {
		return nil, fmt.Errorf("%w: manifest has another form", ErrCorrupt)
	}
	clear, err := keys.Open(nil, sealed[:NonceSize], sealed[NonceSize:], []byte(manifestForm))
	if err != nil {
		return nil, fmt.Errorf("%w: manifest is not sealed by the keys of this version", ErrCorrupt)
	}
	m := new(manifest)
	d := json.NewDecoder(bytes.NewReader(clear))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil || len(m.BuildID) != buildIDSize {
		return nil, fmt.Errorf("%w: manifest has another form", ErrCorrupt)
	}
	return m, nil
}

// expect compares the manifest with what the caller means to open.
func (m *manifest) expect(p *Program, dataset, version string) error {
	digest := p.Digest()
	switch {
	case m.Dataset != dataset:
		return fmt.Errorf("%w: dataset differs", ErrForeign)
	case m.Version != version:
		return fmt.Errorf("%w: version differs", ErrForeign)
	case !bytes.Equal(m.Program, digest[:]):
		return fmt.Errorf("%w: program differs", ErrForeign)
	}
	return nil
}

// digestFiles hashes every file of a database directory, in parallel, sorted by
// name. Anything but a plain file is refused.
func digestFiles(dir string, p *pace) ([]fileEntry, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, scrub(err)
	}
	files := make([]fileEntry, 0, len(entries))
	for _, e := range entries {
		if e.Name() == lockName {
			continue
		}
		if !e.Type().IsRegular() {
			return nil, fmt.Errorf("%w: database holds more than files", ErrCorrupt)
		}
		files = append(files, fileEntry{Name: e.Name()})
	}
	slices.SortFunc(files, func(a, b fileEntry) int { return strings.Compare(a.Name, b.Name) })
	procs := workers()
	if p.gentle {
		procs = 1
	}
	err = parallelOn(procs, len(files), func(i int) error {
		return files[i].digest(filepath.Join(dir, files[i].Name), p)
	})
	return files, err
}

func (e *fileEntry) digest(path string, p *pace) error {
	f, err := os.Open(path)
	if err != nil {
		return scrub(err)
	}
	defer f.Close()
	h := sm3.New()
	if e.Size, err = io.CopyBuffer(paced{h, p}, f, make([]byte, 256<<10)); err != nil {
		return scrub(err)
	}
	e.Digest = h.Sum(nil)
	return nil
}

// checkFiles compares the database with the manifest.
func (m *manifest) checkFiles(dir string, p *pace) error {
	files, err := digestFiles(dir, p)
	if err != nil {
		return err
	}
	same := func(a, b fileEntry) bool {
		return a.Name == b.Name && a.Size == b.Size && bytes.Equal(a.Digest, b.Digest)
	}
	if !slices.EqualFunc(files, m.Files, same) {
		return fmt.Errorf("%w: database files differ from the manifest", ErrCorrupt)
	}
	return nil
}

// parallel calls f(0) to f(n-1) on all processors and gives the error of the
// lowest i that failed. Every i below a failed one is called.
func parallel(n int, f func(int) error) error { return parallelOn(workers(), n, f) }

// parallelOn is parallel with at most procs goroutines.
func parallelOn(procs, n int, f func(int) error) error {
	var (
		mu   sync.Mutex
		next int
		low  = n
		fail error
		wg   sync.WaitGroup
	)
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		i := next
		next++
		return i, i < n && fail == nil
	}
	for range min(n, procs) {
		wg.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				if err := f(i); err != nil {
					mu.Lock()
					if i < low {
						low, fail = i, err
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return fail
}
