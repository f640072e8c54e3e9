package audit

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// WitnessedLog is a log that a witness watches.
type WitnessedLog struct {
	Origin  string
	KeyName string
	Verify  Verifier
}

// WitnessOptions are those of a witness; all are required.
type WitnessOptions struct {
	File   string // what the witness remembers; made by InitWitness
	Name   string // of the witness's key, in its signature lines
	Signer Signer
	Logs   []WitnessedLog // at least one, each of another origin
	Clock  func() time.Time

	store storage
}

// Witness remembers, for each log it watches, the newest checkpoint it signed,
// and signs no other but one that the log grew into: the rules of C2SP
// tlog-witness, add-checkpoint. What it remembers is durable before it answers.
//
// It shows that a log was forked or rolled back after it signed. It does not
// show that entries are true, nor anything about logs of before its first
// signature; and it is of use only if it is kept away from the log's owner.
type Witness struct {
	o    WitnessOptions
	held file

	mu     sync.Mutex
	known  map[string]*remembered
	failed error
}

// remembered is the newest checkpoint that was signed for an origin.
type remembered struct {
	size uint64
	root Hash
	note []byte // with the cosignature
}

// ErrUnknownLog: no log of this origin is watched.
var ErrUnknownLog = errors.New("log is not watched")

// ConflictError says that the witness remembers another tree than the request
// builds on.
type ConflictError struct{ Size uint64 }

// Error names no size but the witness's own.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("witness remembers size %d", e.Size)
}

const (
	witnessMagic = "yumen-witness-state-v1\n"
	maxWitness   = 16 << 20
	maxWatched   = 256
)

func (o *WitnessOptions) check() error {
	if o.store == nil {
		o.store = disk{}
	}
	ok := o.File != "" && validName(o.Name) && o.Signer != nil && o.Clock != nil && len(o.Logs) > 0 && len(o.Logs) <= maxWatched
	seen := map[string]bool{}
	for _, l := range o.Logs {
		ok = ok && checkNames(l.Origin, l.KeyName) == nil && l.Verify != nil && !seen[l.Origin]
		seen[l.Origin] = true
	}
	if !ok {
		return errors.New("witness: options incomplete")
	}
	return nil
}

// InitWitness makes an empty memory. An existing one is never overwritten, since
// that would be forgetting.
func InitWitness(path string) error { return initWitness(disk{}, path) }

func initWitness(st storage, path string) error {
	f, err := st.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return fmt.Errorf("make witness memory: %w", err)
	}
	_, err = f.WriteAt(encodeWitness(nil), 0)
	if err = errors.Join(bare(err), f.Sync(), f.Close(), st.SyncDir(filepath.Dir(path))); err != nil {
		return fmt.Errorf("make witness memory: %w", err)
	}
	return nil
}

// OpenWitness reads what the witness remembers and locks it. A missing or
// damaged memory is an error: a witness that forgot would sign a rolled back log.
func OpenWitness(o WitnessOptions) (*Witness, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	held, err := o.store.OpenFile(o.File+".lock", os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, fmt.Errorf("open witness: lock: %w", err)
	}
	if err := held.Lock(); err != nil {
		return nil, errors.Join(fmt.Errorf("open witness: %w", err), held.Close())
	}
	w := &Witness{o: o, held: held}
	text, err := readFile(o.store, o.File, maxWitness)
	if err == nil {
		w.known, err = parseWitness(text)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("its memory is missing; make one only for a new witness")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open witness: %w", err), held.Close())
	}
	return w, nil
}

// Close releases the memory.
func (w *Witness) Close() error { return w.held.Close() }

// Add judges a request and gives the signature line for it. Errors: ErrRequest,
// ErrUnknownLog, ErrCheckpoint, ErrProof, *ConflictError; any other means that
// the memory could not be written, and the witness signs nothing more.
func (w *Witness) Add(body []byte) ([]byte, error) {
	req, err := ParseAddCheckpoint(body)
	if err != nil {
		return nil, err
	}
	origin, _, _ := strings.Cut(string(req.Checkpoint), "\n")
	i := slices.IndexFunc(w.o.Logs, func(l WitnessedLog) bool { return l.Origin == origin })
	if i < 0 {
		return nil, ErrUnknownLog
	}
	l := &w.o.Logs[i]
	cp, err := ParseCheckpoint(req.Checkpoint, l.Origin, l.KeyName, l.Verify)
	if err != nil {
		return nil, err
	}
	if req.Old > cp.Size {
		return nil, fmt.Errorf("%w: old size above the checkpoint's", ErrRequest)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed != nil {
		return nil, w.failed
	}
	if err := w.judge(req, cp); err != nil {
		return nil, err
	}
	line, err := Cosign(cp, w.o.Name, w.o.Clock().Unix(), w.o.Signer)
	if err != nil {
		return nil, err
	}
	if err := w.remember(cp, line); err != nil {
		return nil, err
	}
	return line, nil
}

// judge compares with what is remembered.
func (w *Witness) judge(req *AddCheckpoint, cp *Checkpoint) error {
	last := w.known[cp.Origin]
	if last == nil {
		last = &remembered{root: emptyRoot()}
	}
	switch {
	case req.Old != last.size, cp.Size == last.size && cp.Root != last.root:
		return &ConflictError{Size: last.size}
	case req.Old == 0 || req.Old == cp.Size:
		if len(req.Proof) > 0 {
			return fmt.Errorf("%w: a proof where there is nothing to prove", ErrProof)
		}
		return nil
	}
	return VerifyConsistency(&Checkpoint{Size: last.size, Root: last.root}, cp, req.Proof)
}

// remember makes the checkpoint durable before anybody sees the signature. A
// log that has not grown needs no write: a crash forgets only a newer time.
func (w *Witness) remember(cp *Checkpoint, line []byte) error {
	next := &remembered{size: cp.Size, root: cp.Root, note: cp.WithCosignature(line)}
	last := w.known[cp.Origin]
	if last != nil && last.size == next.size {
		w.known[cp.Origin] = next
		return nil
	}
	all := make(map[string]*remembered, len(w.known)+1)
	for origin, r := range w.known {
		all[origin] = r
	}
	all[cp.Origin] = next
	err := replaceFile(w.o.store, w.o.File, encodeWitness(all), true)
	if err == nil {
		err = w.o.store.SyncDir(filepath.Dir(w.o.File))
	}
	if err != nil {
		w.failed = fmt.Errorf("witness memory is not durable: %w", err)
		return w.failed
	}
	w.known = all
	return nil
}

// Newest is the newest checkpoint of a log that was signed, with the
// cosignature; nil if there is none.
func (w *Witness) Newest(origin string) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r := w.known[origin]; r != nil {
		return bytes.Clone(r.note)
	}
	return nil
}

// The memory: a first line, a line for each origin in order (origin, size, root
// and note in base64), and the SM3 of all that in hex.

func encodeWitness(known map[string]*remembered) []byte {
	b := []byte(witnessMagic)
	for _, origin := range sortedOrigins(known) {
		r := known[origin]
		b = append(append(b, origin...), ' ')
		b = append(strconv.AppendUint(b, r.size, 10), ' ')
		b = append(base64.StdEncoding.AppendEncode(b, r.root[:]), ' ')
		b = append(base64.StdEncoding.AppendEncode(b, r.note), '\n')
	}
	return fmt.Appendf(b, "%s\n", HashOf(b))
}

func sortedOrigins(known map[string]*remembered) []string {
	out := make([]string, 0, len(known))
	for origin := range known {
		out = append(out, origin)
	}
	slices.Sort(out)
	return out
}

// parseWitness is the strict inverse of encodeWitness.
func parseWitness(text []byte) (map[string]*remembered, error) {
	known := map[string]*remembered{}
	damaged := fmt.Errorf("%w: witness memory", ErrDamaged)
	lines := strings.Split(string(text), "\n")
	if len(lines) < 3 || len(lines) > maxWatched+3 || lines[0]+"\n" != witnessMagic {
		return nil, damaged
	}
	for _, line := range lines[1 : len(lines)-2] {
		part := strings.Split(line, " ")
		if len(part) != 4 || !validOrigin(part[0]) {
			return nil, damaged
		}
		size, err := parseSize(part[1])
		root, err2 := base64.StdEncoding.Strict().DecodeString(part[2])
		note, err3 := base64.StdEncoding.Strict().DecodeString(part[3])
		if errors.Join(err, err2, err3) != nil || len(root) != HashSize {
			return nil, damaged
		}
		known[part[0]] = &remembered{size: size, root: Hash(root), note: note}
	}
	if !bytes.Equal(encodeWitness(known), text) {
		return nil, damaged
	}
	return known, nil
}
