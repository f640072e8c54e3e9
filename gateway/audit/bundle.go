package audit

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// A bundle takes public entries to another platform: entries From to To one
// after another, the checkpoint of the log, and the proof that the tree of size
// To, which the receiver computes from all entries it has, is a prefix of the
// checkpoint's. On the wire it is JSON, keys in this order, no white space:
//
//	{"checkpoint":TEXT,"entries":BASE64,"format":1,"from":N,"proof":[BASE64,...],"to":N}
type Bundle struct {
	From, To   uint64
	Entries    []byte // 80 bytes each
	Proof      []Hash // from To to the checkpoint's size
	Checkpoint []byte // signed note
}

const (
	// MaxBundleEntries bounds the entries of one bundle.
	MaxBundleEntries = 4096
	// MaxBundle bounds an encoded bundle in bytes.
	MaxBundle = MaxBundleEntries*EntrySize*4/3 + 2*maxCheckpoint + 16<<10
	// MaxPushReceipt bounds an encoded push receipt in bytes.
	MaxPushReceipt = 4 << 10

	formatBundle = 1
	pushTag      = "yumen/push-receipt/v1\n"
)

var (
	// ErrBundle: the bundle is not of the form it must have.
	ErrBundle = errors.New("malformed bundle")
	// ErrPushReceipt: the receiver's reply is malformed or says something else
	// than what was sent; push again.
	ErrPushReceipt = errors.New("push receipt refused")
)

type bundleJSON struct {
	Checkpoint string   `json:"checkpoint"`
	Entries    []byte   `json:"entries"`
	Format     int      `json:"format"`
	From       uint64   `json:"from"`
	Proof      [][]byte `json:"proof"`
	To         uint64   `json:"to"`
}

// Encode gives the bundle's one form.
func (b *Bundle) Encode() ([]byte, error) {
	return encodeJSON(bundleJSON{string(b.Checkpoint), b.Entries, formatBundle, b.From, asSlices(b.Proof), b.To})
}

// ParseBundle is the strict inverse of Encode. Entries are parsed; checkpoint
// and proof are for the receiver to verify.
func ParseBundle(text []byte) (*Bundle, error) {
	var j bundleJSON
	if len(text) > MaxBundle || !decodeJSON(text, &j) {
		return nil, ErrBundle
	}
	count := uint64(len(j.Entries) / EntrySize)
	if j.Format != formatBundle || j.Proof == nil || j.From >= j.To || j.To > maxTreeSize || len(j.Entries)%EntrySize != 0 ||
		count != j.To-j.From || count > MaxBundleEntries || len(j.Checkpoint) > maxCheckpoint || len(j.Proof) > maxProof {
		return nil, ErrBundle
	}
	b := &Bundle{From: j.From, To: j.To, Entries: j.Entries, Checkpoint: []byte(j.Checkpoint)}
	for i := range count {
		if _, err := ParseEntry(j.Entries[i*EntrySize : (i+1)*EntrySize]); err != nil {
			return nil, fmt.Errorf("%w: entry %d", ErrBundle, i)
		}
	}
	for _, h := range j.Proof {
		if len(h) != HashSize {
			return nil, ErrBundle
		}
		b.Proof = append(b.Proof, Hash(h))
	}
	return b, nil
}

// PushReceipt is the receiver's signed word that it holds the first Size
// entries of a log and that they lead to Root:
//
//	{"format":1,"origin":TEXT,"root":BASE64,"signature":BASE64,"size":N,"time":MILLISECONDS}
type PushReceipt struct {
	Origin    string
	Size      uint64
	Root      Hash
	Time      int64
	Signature []byte // 64 bytes over Message, by a key of purpose party-receipt
}

type pushReceiptJSON struct {
	Format    int    `json:"format"`
	Origin    string `json:"origin"`
	Root      []byte `json:"root"`
	Signature []byte `json:"signature"`
	Size      uint64 `json:"size"`
	Time      int64  `json:"time"`
}

// Message is what is signed.
func (r *PushReceipt) Message() []byte {
	return fmt.Appendf(nil, "%s%s\n%d\n%s\n%d\n", pushTag, r.Origin, r.Size, base64.StdEncoding.EncodeToString(r.Root[:]), r.Time)
}

// Encode gives the receipt's one form.
func (r *PushReceipt) Encode() ([]byte, error) {
	return encodeJSON(pushReceiptJSON{formatBundle, r.Origin, r.Root[:], r.Signature, r.Size, r.Time})
}

// ParsePushReceipt is the strict inverse of Encode; the signature is for the
// caller to verify.
func ParsePushReceipt(text []byte) (*PushReceipt, error) {
	var j pushReceiptJSON
	if len(text) > MaxPushReceipt || !decodeJSON(text, &j) || j.Format != formatBundle || !validOrigin(j.Origin) ||
		len(j.Root) != HashSize || len(j.Signature) != SignatureSize || j.Size > maxTreeSize || j.Time < 0 {
		return nil, ErrPushReceipt
	}
	return &PushReceipt{Origin: j.Origin, Size: j.Size, Root: Hash(j.Root), Time: j.Time, Signature: j.Signature}, nil
}

func encodeJSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// decodeJSON takes nothing but what encodeJSON gives.
func decodeJSON(text []byte, v any) bool {
	if json.Unmarshal(text, v) != nil {
		return false
	}
	again, err := encodeJSON(v)
	return err == nil && bytes.Equal(again, text)
}

// Entries gives the public entries [from, to), 80 bytes each.
func (l *Log) Entries(ctx context.Context, from, to uint64) ([]byte, error) {
	if from > to || to > l.Size() {
		return nil, fmt.Errorf("read entries: %w", ErrNoEntry)
	}
	out := make([]byte, 0, (to-from)*EntrySize)
	err := l.rawFrames(ctx, from, to, func(raw rawFrame) (bool, error) {
		out = append(out, raw.entry...)
		return true, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read entries: %w", err)
	}
	return out, nil
}

// RootAt is the root of the tree when it had this size.
func (l *Log) RootAt(size uint64) (Hash, error) {
	if size > l.Size() {
		return Hash{}, fmt.Errorf("root: %w", ErrNoEntry)
	}
	h, err := l.tree.rootAt(size)
	if err != nil {
		return Hash{}, fmt.Errorf("root: %w", err)
	}
	return h, nil
}
