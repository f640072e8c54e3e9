package fpe

import (
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/identifier"
	"github.com/yumen-project/yumen/masking/kernel"
)

// plainRank is a domain of bare numbers, for the permutation alone.
type plainRank struct{}

func (plainRank) read(v []byte) (rank, extra uint64, rule string) {
	for _, c := range v {
		rank = rank*10 + uint64(c-'0')
	}
	return rank, 0, ""
}

func (plainRank) write(dst []byte, rank, _ uint64) ([]byte, string) {
	return fmt.Appendf(dst, "%07d", rank), ""
}

// A whole domain: every number comes out once, and goes back.
func TestWholeDomainIsPermuted(t *testing.T) {
	const size = 1_000_003
	e, err := engineFor(testKey, "test")
	require.NoError(t, err)
	k := &integers{e: e, s: e.newDomain(size, nil), size: size, width: 7, kind: plainRank{}}
	back := *k
	back.back = true
	b := array.NewStringBuilder(memory.DefaultAllocator)
	for i := range size {
		b.Append(fmt.Sprintf("%07d", i))
	}
	in := b.NewArray()
	out, err := k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, in)
	require.NoError(t, err)
	seen := make([]bool, size)
	for i := range size {
		rank, _, _ := plainRank{}.read([]byte(out.(*array.String).Value(i)))
		require.Less(t, rank, uint64(size))
		if seen[rank] {
			require.FailNow(t, "came out twice")
		}
		seen[rank] = true
	}
	again, err := back.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, out)
	require.NoError(t, err)
	require.True(t, array.Equal(in, again))
}

func TestDomainsHaveTheSmallestRadix(t *testing.T) {
	e, err := engineFor(testKey, "test")
	require.NoError(t, err)
	for _, c := range []struct {
		size     uint64
		radix, n int
	}{{minDomain, 1000, 2}, {minDomain + 1, 1001, 2}, {1 << 32, 1 << 16, 2}, {1<<32 + 1, 257, 4}, {phones, 290, 4}} {
		s := e.newDomain(c.size, nil)
		require.Equal(t, []int{c.radix, c.n}, []int{s.radix, s.n})
	}
}

func residents() *rapid.Generator[string] {
	return rapid.Custom(func(rt *rapid.T) string {
		at := rapid.Uint32Range(0, identifier.AssignedRegions-1).Draw(rt, "region")
		region, _ := identifier.RegionAt(at, true)
		id, err := identifier.ResidentNumber{Region: region, Day: rapid.Uint32Range(36524, 84004).Draw(rt, "day"),
			Sequence: rapid.Uint32Range(0, 999).Draw(rt, "sequence")}.Append(nil)
		require.NoError(rt, err)
		return string(id)
	})
}

func TestResidentNumbersStayValid(t *testing.T) {
	for _, region := range []string{"", RegionUnassigned, RegionAny, RegionSame} {
		p := Params{Type: TypeResident, Region: region, Tweak: "户籍"}
		k, err := New(p, testKey)
		require.NoError(t, err)
		back, err := NewDecrypter(p, testKey)
		require.NoError(t, err)
		rapid.Check(t, func(rt *rapid.T) {
			in := rapid.SliceOfNDistinct(residents(), 1, 300, func(s string) string { return s }).Draw(rt, "in")
			out := enciphered(t, k, in...)
			seen := map[string]bool{}
			for i, id := range out {
				canonical, err := identifier.Canonical(identifier.ResidentID, id)
				require.NoError(rt, err)
				require.Equal(rt, id, canonical)
				require.False(rt, seen[id])
				seen[id] = true
				n, _, err := identifier.ParseResident([]byte(id))
				require.NoError(rt, err)
				_, assigned, ok := identifier.RegionIndex(n.Region)
				require.True(rt, ok)
				require.Equal(rt, region == RegionAny || region == RegionSame, assigned)
				require.True(rt, id[6:14] >= "19000101" && id[6:14] <= "20291231")
				if region == RegionSame {
					require.Equal(rt, in[i][:6], id[:6])
				}
			}
			require.Equal(rt, in, enciphered(t, back, out...))
		})
	}
}

// Spellings of one number come out alike; fifteen digits only if allowed.
func TestSpellingsOfResidentNumbers(t *testing.T) {
	k, err := New(Params{Type: TypeResident, Old: "upgrade"}, testKey)
	require.NoError(t, err)
	got := enciphered(t, k, "11010519491231002X", "11010519491231002x", "110105 19491231 002X", "１１０１０５19491231002X", "110105491231002")
	for _, id := range got {
		require.Equal(t, got[0], id)
	}
}

// Only what this key has made for unassigned regions goes back: what would
// decipher to no assigned region is refused.
func TestUnassignedGoesBackToAssignedOnly(t *testing.T) {
	back, err := NewDecrypter(Params{Type: TypeResident}, testKey)
	require.NoError(t, err)
	var ids []string
	for i := range uint32(400) {
		region, ok := identifier.RegionAt(i*450, false)
		require.True(t, ok)
		id, err := identifier.ResidentNumber{Region: region, Day: 50000 + i, Sequence: i}.Append(nil)
		require.NoError(t, err)
		ids = append(ids, string(id))
	}
	ids = append(ids, "11010519491231002X")
	env := &kernel.Env{Alloc: memory.DefaultAllocator, Tolerate: true}
	out, err := back.Mask(env, stringsOf(memory.DefaultAllocator, ids...))
	require.NoError(t, err)
	require.True(t, out.IsNull(400), "an assigned region was never written")
	refused := len(env.Suppressed()) - 1
	require.Greater(t, refused, 20, "about 15 in 100 ranks belong to no assigned region")
	require.Less(t, refused, 120)
	for i := range ids[:400] {
		if out.IsValid(i) {
			n, _, err := identifier.ParseResident([]byte(out.(*array.String).Value(i)))
			require.NoError(t, err)
			_, assigned, _ := identifier.RegionIndex(n.Region)
			require.True(t, assigned)
		}
	}
}

func TestPhonesStayPhones(t *testing.T) {
	k, err := New(Params{Type: TypePhone}, testKey)
	require.NoError(t, err)
	back, err := NewDecrypter(Params{Type: TypePhone}, testKey)
	require.NoError(t, err)
	rapid.Check(t, func(rt *rapid.T) {
		in := rapid.SliceOfNDistinct(rapid.StringMatching(`1[3-9][0-9]{9}`), 1, 300, func(s string) string { return s }).Draw(rt, "in")
		out := enciphered(t, k, in...)
		seen := map[string]bool{}
		for _, v := range out {
			canonical, err := identifier.Canonical(identifier.Mobile, v)
			require.NoError(rt, err)
			require.Equal(rt, v, canonical)
			require.False(rt, seen[v])
			seen[v] = true
		}
		require.Equal(rt, in, enciphered(t, back, out...))
	})
	got := enciphered(t, k, "13800138000", "+86 138-0013-8000", "８６13800138000")
	require.Equal(t, got[0], got[1])
	require.Equal(t, got[0], got[2])
}

// FuzzKernels: no input panics; what comes out is of its kind and goes back.
func FuzzKernels(f *testing.F) {
	f.Add("13800138000")
	f.Add("11010519491231002X")
	f.Add("110105491231002")
	f.Add("0123456789012345678901234567890123456789")
	f.Add("a1\xff-")
	f.Fuzz(func(t *testing.T, s string) {
		for _, p := range []Params{{}, {KeepFirst: 2, KeepLast: 1, Pass: "-吉"}, {Alphabet: "custom", Symbols: "0123456789吉a"},
			{Type: TypePhone}, {Type: TypeResident}, {Type: TypeResident, Region: RegionSame, Old: "upgrade"}, {Type: TypeResident, Region: RegionAny}} {
			k, err := New(p, testKey)
			require.NoError(t, err)
			back, err := NewDecrypter(p, testKey)
			require.NoError(t, err)
			env := &kernel.Env{Alloc: memory.DefaultAllocator, Tolerate: true}
			out, err := k.Mask(env, stringsOf(memory.DefaultAllocator, s))
			require.NoError(t, err)
			if out.IsNull(0) {
				continue
			}
			got := enciphered(t, back, out.(*array.String).Value(0))[0]
			switch p.Type {
			case TypePhone:
				s2, err := identifier.Canonical(identifier.Mobile, s)
				require.NoError(t, err)
				require.Equal(t, s2, got)
			case TypeResident:
				s2, err := identifier.Canonical(identifier.ResidentID, s)
				require.NoError(t, err)
				require.Equal(t, s2, got)
			default:
				require.Equal(t, s, got)
			}
		}
	})
}
