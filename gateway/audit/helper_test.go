package audit

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm3"
	"github.com/stretchr/testify/require"
)

const (
	testOrigin = "yumen.test/domain-1"
	testName   = "yumen.test/domain-1"
)

// fakeSigner stands for a key: "signatures" that only it can make and check.
type fakeSigner struct{ key string }

func (s fakeSigner) KeyID() [32]byte { return sm3.Sum([]byte("id" + s.key)) }

func (s fakeSigner) Sign(msg []byte) ([]byte, error) {
	a := sm3.Sum(append([]byte("a"+s.key), msg...))
	b := sm3.Sum(append([]byte("b"+s.key), msg...))
	return append(a[:], b[:]...), nil
}

func (s fakeSigner) verify(msg, sig []byte) bool {
	want, _ := s.Sign(msg)
	return bytes.Equal(want, sig)
}

// testOptions is a log in a fresh directory.
func testOptions(tb testing.TB) Options {
	tb.Helper()
	dir := tb.TempDir()
	s := fakeSigner{"one"}
	return Options{Dir: filepath.Join(dir, "log"), CheckpointDir: filepath.Join(dir, "second"),
		Origin: testOrigin, KeyName: testName, Signer: s, Verify: s.verify,
		Clock: time.Now, SegmentBytes: 64 << 10}
}

func mustOpen(tb testing.TB, o Options) *Log {
	tb.Helper()
	l, err := Open(context.Background(), o)
	require.NoError(tb, err)
	return l
}

// record is a record whose content follows from i.
func record(i int) Record {
	private := bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 1+i%40)
	private = binary.BigEndian.AppendUint64(private, uint64(i))
	if i%3 == 0 {
		return Record{Kind: Refusal, Time: int64(1000 + i), Statement: HashOf(private[1:]), Private: private}
	}
	stated := State(fmt.Appendf(nil, `{"id":%d,"text":%q}`, i, bytes.Repeat([]byte{'s'}, i%50)))
	return Record{Kind: Release, Time: int64(1000 + i), Statement: stated.Hash(), Stated: stated, Private: private}
}

// entryOf is the entry of a record.
func entryOf(r Record) []byte { return newRequest(r).entry[:] }

// frameOf is the frame of a record, alone in its group.
func frameOf(salt uint32, index uint64, r Record) []byte {
	return appendFrame(nil, salt, index, index, entryOf(r), r.Stated.text, r.Private)
}

func fill(tb testing.TB, l *Log, from, to int) []*Appended {
	tb.Helper()
	out := make([]*Appended, 0, to-from)
	for i := from; i < to; i++ {
		a, err := l.Append(context.Background(), record(i))
		require.NoError(tb, err)
		out = append(out, a)
	}
	return out
}

// machine keeps what Apply saw.
type machine struct {
	next   uint64
	frames []Frame
}

func (m *machine) apply(f Frame) error {
	if f.Index != m.next {
		return fmt.Errorf("frame %d, want %d", f.Index, m.next)
	}
	m.next++
	f.Text, f.Private = bytes.Clone(f.Text), bytes.Clone(f.Private)
	m.frames = append(m.frames, f)
	return nil
}

// copyTree copies a directory.
func copyTree(tb testing.TB, from, to string) {
	tb.Helper()
	require.NoError(tb, os.RemoveAll(to))
	require.NoError(tb, os.CopyFS(to, os.DirFS(from)))
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// naiveRoot is RFC 6962, section 2.1, word for word.
func naiveRoot(leaves [][]byte) Hash {
	switch len(leaves) {
	case 0:
		return sm3.Sum(nil)
	case 1:
		return sm3.Sum(append([]byte{0}, leaves[0]...))
	}
	k := split(len(leaves))
	l, r := naiveRoot(leaves[:k]), naiveRoot(leaves[k:])
	return sm3.Sum(append(append([]byte{1}, l[:]...), r[:]...))
}

// naivePath is PATH(m, D[n]) of RFC 6962, section 2.1.1.
func naivePath(m int, leaves [][]byte) []Hash {
	if len(leaves) <= 1 {
		return nil
	}
	k := split(len(leaves))
	if m < k {
		return append(naivePath(m, leaves[:k]), naiveRoot(leaves[k:]))
	}
	return append(naivePath(m-k, leaves[k:]), naiveRoot(leaves[:k]))
}

func split(n int) int {
	k := 1
	for k*2 < n {
		k *= 2
	}
	return k
}
