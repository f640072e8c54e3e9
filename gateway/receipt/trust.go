package receipt

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/keyring"
)

// Bounds and version of trust files.
const (
	// FormatTrust is the version of the trust file this package writes and reads.
	FormatTrust = 1
	// MaxTrust is the largest trust file in bytes.
	MaxTrust = 64 << 10
	// MaxTrustFiles bounds the files of one trust directory.
	MaxTrustFiles = 256
	// MaxBuilds bounds the builds a trust file lists.
	MaxBuilds = 256
)

// ErrTrust: the trust file or directory is not of the form it must have. Get
// it again from the operator by a way you trust.
var ErrTrust = errors.New("trust file refused")

// Trust is what a verifier must know before it can judge: whose log, under
// which key, from when on, and if so wished which builds of the program. It
// reaches the verifier by another way than the receipts.
type Trust struct {
	Domain        string   // the data domain
	Origin        string   // origin line of its log's checkpoints
	KeyName       string   // name in the signature line of checkpoints
	CheckpointKey string   // public SM2 key, as keyring.ParsePublicKey reads it
	NotBefore     string   // day YYYY-MM-DD or RFC 3339: statements are not older
	Builds        []string // ascending; empty: any build
}

// TrustHash is what a statement holds of a trust file: SM3 of its bytes.
func TrustHash(file []byte) audit.Hash { return sm3.Sum(file) }

// Marshal gives the trust file: canonical JSON, no line end.
func (t *Trust) Marshal() ([]byte, error) {
	if _, err := t.check(); err != nil {
		return nil, err
	}
	dst := []byte{'{'}
	if len(t.Builds) > 0 {
		dst = append(dst, `"builds":[`...)
		for i, build := range t.Builds {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendString(dst, build)
		}
		dst = append(dst, `],`...)
	}
	dst = appendField(dst, `"checkpoint_key":`, t.CheckpointKey)
	dst = appendField(dst, `,"domain":`, t.Domain)
	dst = appendInt(append(dst, `,"format":`...), FormatTrust)
	dst = appendField(dst, `,"key_name":`, t.KeyName)
	dst = appendField(dst, `,"not_before":`, t.NotBefore)
	dst = appendField(dst, `,"origin":`, t.Origin)
	dst = append(dst, '}')
	if len(dst) > MaxTrust {
		return nil, ErrTrust
	}
	return dst, nil
}

// check applies every bound and returns the key.
func (t *Trust) check() (keyring.PublicKey, error) {
	key, err := keyring.ParsePublicKey(t.CheckpointKey)
	ok := err == nil && isName(t.Domain) && isName(t.Origin) && isName(t.KeyName) &&
		t.NotBefore != "" && isMoment(t.NotBefore) && len(t.Builds) <= MaxBuilds
	for i, build := range t.Builds {
		ok = ok && isName(build) && (i == 0 || t.Builds[i-1] < build)
	}
	if !ok {
		return keyring.PublicKey{}, ErrTrust
	}
	return key, nil
}

// ParseTrust reads a trust file in its one form.
func ParseTrust(b []byte) (*Trust, error) {
	if len(b) > MaxTrust {
		return nil, ErrTrust
	}
	t, r := &Trust{}, &reader{b: b}
	r.lit("{")
	if r.has(`"builds":[`) {
		t.Builds = readBuilds(r)
	}
	r.field(`"checkpoint_key":`, &t.CheckpointKey)
	r.field(`,"domain":`, &t.Domain)
	r.lit(`,"format":`)
	r.format(FormatTrust)
	r.field(`,"key_name":`, &t.KeyName)
	r.field(`,"not_before":`, &t.NotBefore)
	r.field(`,"origin":`, &t.Origin)
	r.lit("}")
	r.end()
	if r.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTrust, r.err)
	}
	if _, err := t.check(); err != nil {
		return nil, err
	}
	return t, nil
}

// readBuilds reads the list to its end; an empty list is not written, so not read.
func readBuilds(r *reader) []string {
	builds := []string{r.text()}
	for !r.has("],") && r.err == nil {
		r.lit(",")
		builds = append(builds, r.text())
	}
	return builds
}

// isMoment accepts what a trust file may say as its beginning.
func isMoment(s string) bool {
	_, err := moment(s)
	return err == nil
}

// moment is the beginning of a day in Beijing, or a time of RFC 3339.
func moment(s string) (time.Time, error) {
	if len(s) == len(time.DateOnly) {
		return time.ParseInLocation(time.DateOnly, s, beijing())
	}
	if len(s) > len(time.RFC3339Nano) {
		return time.Time{}, ErrTrust
	}
	return time.Parse(time.RFC3339, s)
}

// TrustSet holds the trust files of one directory by the hash of their bytes.
type TrustSet struct {
	files map[audit.Hash]*anchor
	order []*anchor
	err   error
}

// anchor is a trust file ready for use.
type anchor struct {
	Trust
	key   keyring.PublicKey
	since time.Time
}

// verifier checks checkpoint signatures with the anchor's key.
func (a *anchor) verifier() audit.Verifier {
	return func(msg, sig []byte) bool { return a.key.Verify(keyring.Checkpoint, msg, sig) }
}

// Err tells whether the directory was as it must be: nil or an ErrTrust. With
// an error nothing verifies.
func (t *TrustSet) Err() error {
	if t == nil {
		return ErrTrust
	}
	return t.err
}

// LoadTrust reads a trust directory: one or more regular files *.json and
// nothing else. The error is about reading only; a directory that can be read
// but is not well formed gives a set whose Err is not nil, so that the claim
// "trust" fails and says so.
func LoadTrust(dir fs.FS) (*TrustSet, error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, fmt.Errorf("read trust directory: %w", unnamed(err))
	}
	t := &TrustSet{files: make(map[audit.Hash]*anchor)}
	if len(entries) == 0 || len(entries) > MaxTrustFiles {
		t.err = fmt.Errorf("%w: number of files", ErrTrust)
		return t, nil
	}
	for i, e := range entries {
		if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".json") {
			t.err = fmt.Errorf("%w: entry %d is not a file *.json", ErrTrust, i)
			return t, nil
		}
		b, err := readBounded(dir, e.Name())
		if err != nil {
			return nil, fmt.Errorf("read trust file %d: %w", i, unnamed(err))
		}
		if err := t.add(b); err != nil {
			t.err = fmt.Errorf("file %d: %w", i, err)
			return t, nil
		}
	}
	return t, nil
}

// unnamed strips a path from an error of the file system.
func unnamed(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func readBounded(dir fs.FS, name string) ([]byte, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, MaxTrust+1))
	return b, errors.Join(err, f.Close())
}

func (t *TrustSet) add(file []byte) error {
	trust, err := ParseTrust(file)
	if err != nil {
		return err
	}
	a := &anchor{Trust: *trust}
	if a.key, err = trust.check(); err != nil {
		return err
	}
	if a.since, err = moment(trust.NotBefore); err != nil {
		return err
	}
	t.files[TrustHash(file)] = a
	t.order = append(t.order, a)
	return nil
}

// find returns the anchor a statement names, or the reason why there is none.
func (t *TrustSet) find(s *Statement) (*anchor, reason) {
	if t.Err() != nil {
		return nil, reasonTrustDir
	}
	var h audit.Hash
	if !decodeHex(h[:], s.Trust) || t.files[h] == nil {
		return nil, reasonTrustUnknown
	}
	a := t.files[h]
	at, err := time.Parse(timeLayout, s.Time)
	switch {
	case a.Domain != s.Domain:
		return nil, reasonTrustDomain
	case err != nil || at.Before(a.since):
		return nil, reasonTrustEarly
	case len(a.Builds) > 0 && !slices.Contains(a.Builds, s.Build):
		return nil, reasonTrustBuild
	}
	return a, reasonNone
}
