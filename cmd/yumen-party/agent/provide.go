package agent

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/compute/he/vault"
	"github.com/yumen-project/yumen/connectors"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client/encrypted"
)

// ErrChanged: the source, or what is to be encrypted of it, is not what the upload of
// this version began with. Use a new version.
var ErrChanged = errors.New("agent: source changed since the upload of this version began")

// ErrNoKey: there is no certificate in force for a lane; make a key set first.
var ErrNoKey = errors.New("agent: no key certificate in force for these datasets")

// Provision says what is encrypted of one version of a dataset.
type Provision struct {
	Spec plan.Spec // Provider, HashKey, and the lanes' keys and degrees are filled in
	// With names, per lane of Spec, the other dataset of a product's key; empty: the dataset's own key.
	With map[string]string
	// Terms is whatever else the numbers depend on, for the resumption of an upload.
	Terms string
	// Progress, if set, is told of values encrypted and leaves uploaded.
	Progress func(values, uploaded int64)
}

// Provided is what was done.
type Provided struct {
	Manifest Hash
	Values   int64 // encrypted in this run, padding not counted
	Leaves   int64 // of the version
	Uploaded int64 // in this run
	// Encrypting is the time from the first record to the last leaf on the disk.
	Encrypting time.Duration
}

// Provide encrypts a source and hands it in: leaves first into the own copy, then to
// the gateway, then the signed manifest. It may be interrupted anywhere and begun
// again; leaves that are held are neither encrypted nor sent again.
func (a *Agent) Provide(ctx context.Context, p Provision, src connectors.Source) (*Provided, error) {
	params, err := a.fillKeys(&p)
	if err != nil {
		return nil, err
	}
	described, err := src.Describe(ctx)
	if err != nil {
		return nil, err
	}
	note, err := a.beginUpload(&p, described.Fingerprint)
	if err != nil {
		return nil, err
	}
	b, err := plan.NewBuilder(described.Schema, p.Spec)
	if err != nil {
		return nil, err
	}
	// the builder reads columns by their index in its schema: all of them are scanned
	reader, err := src.Open(ctx, connectors.Scan{})
	if err != nil {
		return nil, err
	}
	defer reader.Release()
	began := a.o.Clock()
	e := &encryption{agent: a, provision: &p, params: params, lanes: map[string]*vault.Lane{}}
	if err := e.run(ctx, b.Batches(ctx, reader)); err != nil {
		return nil, err
	}
	took := a.o.Clock().Sub(began)
	for _, done := range e.hashes {
		if err := b.AddLeaf(done.lane, done.batch, done.hash); err != nil {
			return nil, err
		}
	}
	m, err := b.Manifest()
	if err != nil {
		return nil, err
	}
	if err := m.Validate(plan.Limits{MinimumSubjects: a.o.MinimumSubjects}); err != nil {
		return nil, err
	}
	out := &Provided{Values: e.values.Load(), Leaves: int64(len(e.hashes)), Encrypting: took}
	for i := range m.Lanes {
		n, err := e.upload(ctx, m, &m.Lanes[i])
		if err != nil {
			return nil, fmt.Errorf("lane %q: %w", m.Lanes[i].Name, err)
		}
		out.Uploaded += n
	}
	out.Manifest, err = a.sign(ctx, m, note)
	return out, err
}

// fillKeys finds the certificate of each lane and the parameters it is of.
func (a *Agent) fillKeys(p *Provision) (map[[32]byte]*he.Parameters, error) {
	p.Spec.Provider = a.o.Identity.Party
	used := map[[32]byte]*he.Parameters{}
	for i := range p.Spec.Lanes {
		l := &p.Spec.Lanes[i]
		datasets := []string{p.Spec.Dataset}
		if with := p.With[l.Name]; with != "" {
			datasets = append(datasets, with)
			slices.Sort(datasets)
		}
		hash, c, err := a.keyOf(datasets)
		if err != nil {
			return nil, fmt.Errorf("lane %q: %w", l.Name, err)
		}
		params := a.o.Params[c.Parameters]
		l.Key, l.Degree = hash, params.N()
		used[hash] = params
	}
	if a.book.HashKey == nil {
		key := make([]byte, 32)
		if _, err := a.o.Rand.Read(key); err != nil {
			return nil, err
		}
		a.book.HashKey = key
	}
	p.Spec.HashKey = [32]byte(a.book.HashKey)
	return used, nil
}

// HasKeys says whether every lane has a certificate in force.
func (a *Agent) HasKeys(p *Provision) bool {
	for _, l := range p.Spec.Lanes {
		datasets := []string{p.Spec.Dataset}
		if with := p.With[l.Name]; with != "" {
			datasets = append(datasets, with)
			slices.Sort(datasets)
		}
		if _, _, err := a.keyOf(datasets); err != nil {
			return false
		}
	}
	return true
}

// keyOf is the certificate in force of exactly these datasets with the highest epoch.
func (a *Agent) keyOf(datasets []string) (Hash, *ceremony.KeyCert, error) {
	var best *ceremony.KeyCert
	var of Hash
	for hash, note := range a.book.Keys {
		c, err := ceremony.ParseKeyCert(note.Cert)
		if err != nil || !slices.Equal(c.Datasets, datasets) || best != nil && best.Epoch >= c.Epoch {
			continue
		}
		if err := a.o.Parties.VerifyCert(c, a.o.Params, a.o.Clock()); err != nil {
			a.log.Warn("certificate not usable", slog.Any("certificate", hash.String()), slog.Any("error", err))
			continue
		}
		best, of = c, hash
	}
	if best == nil {
		return Hash{}, nil, ErrNoKey
	}
	return of, best, nil
}

// beginUpload binds the version to what is read, before the first leaf is made.
func (a *Agent) beginUpload(p *Provision, fingerprint string) (*uploadNote, error) {
	name := p.Spec.Dataset + "\n" + p.Spec.Version
	mark := fingerprint + " " + p.Terms
	for _, l := range p.Spec.Lanes {
		mark += " " + Hash(l.Key).String()
	}
	note := a.book.Uploads[name]
	if note == nil {
		note = &uploadNote{Fingerprint: mark}
		a.book.Uploads[name] = note
		return note, a.save()
	}
	if note.Fingerprint != mark {
		return nil, ErrChanged
	}
	return note, nil
}

// encryption makes the leaves of a dataset version.
type encryption struct {
	agent     *Agent
	provision *Provision
	params    map[[32]byte]*he.Parameters
	values    atomic.Int64

	mu     sync.Mutex
	lanes  map[string]*vault.Lane
	hashes []leafHash
	err    error
}

type leafHash struct {
	lane  string
	batch uint32
	hash  [32]byte
}

// run encrypts batches on all cores.
func (e *encryption) run(ctx context.Context, batches iter.Seq2[*plan.Batch, error]) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work := make(chan *plan.Batch)
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			w := &encryptWorker{of: e, keys: map[[32]byte]*he.Encryptor{}}
			for b := range work {
				if err := w.encrypt(ctx, b); err != nil {
					e.fail(err)
					cancel()
				}
			}
		})
	}
	var failed error
	for b, err := range batches {
		if err != nil {
			failed = err
			break
		}
		select {
		case work <- b:
			continue
		case <-ctx.Done():
			failed = ctx.Err()
		}
		break
	}
	close(work)
	group.Wait()
	if e.err != nil {
		return e.err
	}
	for _, l := range e.lanes {
		failed = errors.Join(failed, l.Sync())
	}
	return failed
}

func (e *encryption) fail(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == nil {
		e.err = err
	}
}

func (e *encryption) lane(name string, key [32]byte) (*vault.Lane, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if l := e.lanes[name]; l != nil {
		return l, nil
	}
	l, err := e.agent.vault.Lane(e.params[key], key, e.provision.Spec.Dataset, e.provision.Spec.Version, name)
	if err == nil {
		e.lanes[name] = l
	}
	return l, err
}

// encryptWorker has encryptors of its own.
type encryptWorker struct {
	of   *encryption
	keys map[[32]byte]*he.Encryptor
	buf  []byte
	made int
}

func (w *encryptWorker) encrypt(ctx context.Context, b *plan.Batch) error {
	e := w.of
	lane, err := e.lane(b.Lane, b.Header.Key)
	if err != nil {
		return err
	}
	hash, err := lane.Hash(b.Header.Batch)
	if errors.Is(err, vault.ErrMissing) {
		hash, err = w.make(ctx, lane, b)
	}
	if err != nil {
		return err
	}
	e.mu.Lock()
	e.hashes = append(e.hashes, leafHash{b.Lane, b.Header.Batch, hash})
	e.mu.Unlock()
	return nil
}

func (w *encryptWorker) make(ctx context.Context, lane *vault.Lane, b *plan.Batch) ([32]byte, error) {
	e := w.of
	enc := w.keys[b.Header.Key]
	if enc == nil {
		var err error
		if enc, err = e.encryptor(ctx, b.Header.Key); err != nil {
			return [32]byte{}, err
		}
		w.keys[b.Header.Key] = enc
	}
	leaf, err := b.Encrypt(enc, w.buf)
	if err != nil {
		return [32]byte{}, err
	}
	w.buf = leaf.Bytes()
	if err := lane.Put(b.Header.Batch, leaf.Bytes()); err != nil {
		return [32]byte{}, err
	}
	if w.made++; w.made%copySync == 0 {
		if err := lane.Sync(); err != nil {
			return [32]byte{}, err
		}
	}
	values := e.values.Add(int64(len(b.Values)))
	if e.provision.Progress != nil {
		e.provision.Progress(values, 0)
	}
	return leaf.Hash(), nil
}

// encryptor serves one worker; certificate and key are verified each time.
func (e *encryption) encryptor(ctx context.Context, key [32]byte) (*he.Encryptor, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, _, err := e.agent.cert(key)
	if err != nil {
		return nil, err
	}
	k, err := e.agent.keys(ctx, c)
	if err != nil {
		return nil, err
	}
	return he.NewEncryptor(e.params[key], k.Public, e.agent.o.Rand)
}

// upload sends the leaves of a lane that the gateway does not hold.
func (e *encryption) upload(ctx context.Context, m *plan.Manifest, l *plan.Lane) (int64, error) {
	at := encrypted.Place{Dataset: m.Dataset, Version: m.Version, Lane: l.Name}
	held, err := e.agent.o.Gateway.Held(ctx, at)
	if err != nil {
		return 0, err
	}
	have := make([]vault.Range, len(held))
	for i, r := range held {
		have[i] = vault.Range{First: r.First, Count: r.Count}
	}
	sent := int64(0)
	for _, gap := range gaps(have, l.Leaves()) {
		if _, err := e.agent.o.Gateway.Upload(ctx, at, e.stored(l.Name, gap)); err != nil {
			return sent, err
		}
		sent += int64(gap.Count)
		if e.provision.Progress != nil {
			e.provision.Progress(e.values.Load(), sent)
		}
	}
	return sent, nil
}

func (e *encryption) stored(lane string, r encrypted.Range) iter.Seq2[encrypted.Leaf, error] {
	return func(yield func(encrypted.Leaf, error) bool) {
		for i := range r.Count {
			b, err := e.lanes[lane].Read(r.First+i, nil)
			if !yield(encrypted.Leaf{Batch: r.First + i, Bytes: b}, err) || err != nil {
				return
			}
		}
	}
}

// sign signs the manifest, once for a version, and hands it in.
func (a *Agent) sign(ctx context.Context, m *plan.Manifest, note *uploadNote) (Hash, error) {
	hash, err := m.Hash()
	if err != nil {
		return Hash{}, err
	}
	if note.Manifest == nil {
		msg, err := m.SigningBytes()
		if err != nil {
			return Hash{}, err
		}
		if m.Signature, err = a.o.Identity.Agent.Sign(msg); err != nil {
			return Hash{}, err
		}
		if note.Manifest, err = m.Bytes(); err != nil {
			return Hash{}, err
		}
		if err := a.save(); err != nil {
			return Hash{}, err
		}
	}
	old, err := plan.ParseManifest(note.Manifest)
	if err != nil {
		return Hash{}, fmt.Errorf("%w: manifest: %w", ErrState, err)
	}
	if signed, err := old.Hash(); err != nil || signed != hash {
		return Hash{}, ErrChanged
	}
	_, err = a.o.Gateway.Put(ctx, apiv1.ObjectKind_OBJECT_KIND_MANIFEST, note.Manifest)
	return hash, err
}
