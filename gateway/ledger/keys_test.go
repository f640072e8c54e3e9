package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Whatever is put in, found, lapsed and captured, in any order, the keys are those of one plain map.
func TestKeysAgainstAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k, oracle := newKeys(), map[[16]byte]stored{}
		var under *frozen
		var serial uint64
		var was map[[16]byte]stored
		drawKey := rapid.Custom(func(t *rapid.T) [16]byte {
			n := rapid.IntRange(0, 300).Draw(t, "key")
			if n < 20 {
				return [16]byte{15: byte(n)} // not spread evenly
			}
			sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
			return [16]byte(sum[:16])
		})
		at := rapid.OneOf(rapid.Just(Forever), rapid.Int64Range(0, 50))
		finish := func(t *rapid.T) {
			if under == nil {
				t.Skip("nothing captured")
			}
			b := under.appendTo(nil)
			base, err := newSorted(b)
			require.NoError(t, err)
			require.Equal(t, len(was), base.len())
			for key, s := range was {
				got, ok := base.find(&key)
				require.True(t, ok)
				require.Equal(t, s, got)
			}
			k.settle(index(b))
			under = nil
		}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				for range rapid.IntRange(1, 60).Draw(t, "many") {
					key, s := drawKey.Draw(t, "key"), stored{index: rapid.Uint64Max(dead-1).Draw(t, "index"), time: at.Draw(t, "time")}
					k.put(&key, s)
					oracle[key] = s
				}
			},
			"gather": func(t *rapid.T) {
				for range rapid.IntRange(1, 60).Draw(t, "many") {
					serial++
					key, s := drawKey.Draw(t, "key"), stored{index: serial, time: at.Draw(t, "time")}
					k.gather(&key, s)
					oracle[key] = s
				}
			},
			"fold": func(t *rapid.T) {
				if under != nil || len(k.recent) > 0 {
					t.Skip("not a replay")
				}
				k.fold()
			},
			"lapse": func(t *rapid.T) {
				before := rapid.Int64Range(0, 50).Draw(t, "before")
				k.lapse(before)
				for key, s := range oracle {
					if s.time != Forever && s.time < before {
						delete(oracle, key)
					}
				}
			},
			"freeze": func(t *rapid.T) {
				if under != nil {
					t.Skip("captured already")
				}
				under, was = k.freeze(), map[[16]byte]stored{}
				for key, s := range oracle {
					was[key] = s
				}
			},
			"finish": finish,
			"": func(t *rapid.T) {
				for range 5 {
					key := drawKey.Draw(t, "asked")
					want, has := oracle[key]
					got, ok := k.find(&key)
					require.Equal(t, has, ok)
					if ok {
						require.Equal(t, want, got)
					}
				}
			},
		})
	})
}

// What happens between a capture and its end is not in the captured state and not lost.
func TestCaptureWhileTheLedgerGoesOn(t *testing.T) {
	l, plain := New(), New()
	step := func(n byte, at int64) {
		r := &Record{Serial: uint64(n), Idem: &Idem{Key: [16]byte{n}, Time: at}, Charges: []Charge{{Account: quotaAccount(n), Amount: 1}}}
		apply(t, l, at, r)
		apply(t, plain, at, r)
	}
	step(1, noon)
	step(2, noon+dayMS)
	_, _ = l.Snapshot()
	step(3, noon+2*dayMS)
	before := plain.Digest()
	c := l.Capture()
	step(4, noon+9*dayMS) // lapses the first two, and days
	step(1, noon+9*dayMS)
	state := c.AppendTo(nil)
	require.EqualValues(t, 3, c.Size)
	restored, err := Restore(state)
	require.NoError(t, err)
	require.Equal(t, before, restored.Digest())
	require.Equal(t, plain.Digest(), l.Digest())
	require.Equal(t, plain.Digest(), l.Digest(), "twice")
	fresh, err := Restore(state)
	require.NoError(t, err)
	for _, n := range []byte{4, 1} {
		apply(t, fresh, noon+9*dayMS, &Record{Serial: uint64(n), Idem: &Idem{Key: [16]byte{n}, Time: noon + 9*dayMS}, Charges: []Charge{{Account: quotaAccount(n), Amount: 1}}})
	}
	require.Equal(t, plain.Digest(), fresh.Digest())
}

func TestRestoreRefusesKeysOutOfOrder(t *testing.T) {
	l := New()
	for _, n := range []byte{1, 2} {
		apply(t, l, noon, &Record{Idem: &Idem{Key: [16]byte{n}, Time: noon}})
	}
	_, state := l.Snapshot()
	twice := append([]byte{}, state...)
	copy(twice[len(twice)-storedSize:], twice[len(twice)-2*storedSize:len(twice)-storedSize])
	_, err := Restore(twice)
	require.ErrorIs(t, err, ErrRecord)
}

// A long replay folds keys away, and none is lost or comes back; of two entries of a key the later counts.
func TestFoldKeepsEveryKey(t *testing.T) {
	k := newKeys()
	at := func(i int) [16]byte {
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
		return [16]byte(sum[:16])
	}
	const n = 2*foldKeys + 1000
	for i := range n {
		key := at(i % (n - 50)) // the first ones come again
		k.gather(&key, stored{index: uint64(i), time: int64(i)})
	}
	require.Equal(t, 2*foldKeys, k.base.len())
	require.Len(t, k.gathered, 1000)
	_, err := newSorted(k.base.b)
	require.NoError(t, err)
	check := func(lapsed int) {
		for i := range n - 50 {
			want := i
			if i < 50 {
				want = n - 50 + i
			}
			key := at(i)
			s, ok := k.find(&key)
			require.Equal(t, want >= lapsed, ok)
			if ok {
				require.EqualValues(t, want, s.index)
			}
		}
	}
	check(0)
	require.Empty(t, k.gathered)
	k.lapse(100)
	check(100)
}

// A replay that is asked nothing and one that is asked all the time end in one state, whatever days pass.
func TestReplayedOrLiveIsOneState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		quiet, asked := New(), New()
		at := noon
		for i := range rapid.IntRange(1, 80).Draw(t, "frames") {
			at += rapid.SampledFrom([]int64{0, 1, dayMS, 8 * dayMS}).Draw(t, "later")
			key := [16]byte{byte(rapid.IntRange(0, 20).Draw(t, "key"))}
			r := &Record{Serial: uint64(i), Idem: &Idem{Key: key, Time: at}}
			apply(t, quiet, at, r)
			apply(t, asked, at, r)
			asked.Replayed()
		}
		require.Equal(t, asked.Digest(), quiet.Digest())
	})
}

func BenchmarkFindAmongAMillion(b *testing.B) {
	k := newKeys()
	var key [16]byte
	at := func(i int) *[16]byte {
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
		copy(key[:], sum[:])
		return &key
	}
	for i := range 1_000_000 {
		k.put(at(i), stored{index: uint64(i)})
	}
	k.settle(index(k.freeze().appendTo(nil)))
	i := 0
	for b.Loop() {
		k.find(at(i % 2_000_000))
		i++
	}
}
