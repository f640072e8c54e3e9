package identifier_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/identifier"
)

func TestEveryRegionHasItsPlace(t *testing.T) {
	seen := map[bool]map[uint32]bool{true: {}, false: {}}
	for code := range uint32(1000000) {
		i, assigned, ok := identifier.RegionIndex(code)
		_, err := identifier.ResidentNumber{Region: code}.Append(nil)
		require.Equal(t, err == nil, ok)
		if !ok {
			continue
		}
		require.False(t, seen[assigned][i])
		seen[assigned][i] = true
		back, ok := identifier.RegionAt(i, assigned)
		require.True(t, ok)
		require.Equal(t, code, back)
	}
	require.Len(t, seen[true], identifier.AssignedRegions)
	require.Len(t, seen[false], identifier.UnassignedRegions)
	for _, size := range []uint32{identifier.AssignedRegions, identifier.UnassignedRegions} {
		_, ok := identifier.RegionAt(size, size == identifier.AssignedRegions)
		require.False(t, ok)
	}
	require.Greater(t, identifier.UnassignedRegions, identifier.AssignedRegions)
}

// Codes that numbers of living people begin with: city districts, prefectures,
// cities without districts, counties under a province, the oldest of Hainan.
func TestRegionsInUseAreAssigned(t *testing.T) {
	for _, code := range []uint32{110101, 120225, 131182, 152921, 220202, 222401, 310230, 341225, 371728, 419001,
		429006, 429021, 441900, 442000, 445381, 460001, 469007, 500243, 500381, 512081, 513436, 513901, 532628, 540102,
		542621, 620200, 632801, 654201, 659001, 810000, 820000, 830000} {
		_, assigned, ok := identifier.RegionIndex(code)
		require.True(t, ok && assigned, "%d", code)
	}
	for _, code := range []uint32{110000 + 9900, 229100, 710000, 810001, 835678, 654600, 425612} {
		_, assigned, ok := identifier.RegionIndex(code)
		require.True(t, ok && !assigned, "%d", code)
	}
}

func TestEveryDayHasItsNumber(t *testing.T) {
	day := time.Date(1800, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range uint32(identifier.ResidentDays) {
		n, ok := identifier.ResidentDay(day.Year(), int(day.Month()), day.Day())
		require.True(t, ok)
		require.Equal(t, i, n)
		id, err := identifier.ResidentNumber{Region: 220202, Day: i, Sequence: i % 1000}.Append(nil)
		require.NoError(t, err)
		require.Equal(t, day.Format("20060102"), string(id[6:14]))
		day = day.AddDate(0, 0, 1)
	}
	require.Equal(t, 2100, day.Year())
	_, ok := identifier.ResidentDay(2100, 1, 1)
	require.False(t, ok)
	_, ok = identifier.ResidentDay(1900, 2, 29)
	require.False(t, ok)
}

func TestResidentNumbersOutOfRange(t *testing.T) {
	for _, n := range []identifier.ResidentNumber{{Region: 1000000}, {Region: 990101}, {Region: 220202, Day: identifier.ResidentDays},
		{Region: 220202, Sequence: 1000}} {
		out, err := n.Append([]byte("p"))
		require.Error(t, err)
		require.Equal(t, "p", string(out))
	}
}

func TestParsedAndWrittenAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := identifier.ResidentNumber{
			Region:   rapid.SampledFrom([]uint32{220202, 110000, 830000, 659001}).Draw(rt, "region"),
			Day:      rapid.Uint32Range(0, identifier.ResidentDays-1).Draw(rt, "day"),
			Sequence: rapid.Uint32Range(0, 999).Draw(rt, "sequence"),
		}
		id, err := n.Append(nil)
		require.NoError(rt, err)
		canonical, err := identifier.Canonical(identifier.ResidentID, string(id))
		require.NoError(rt, err)
		require.Equal(rt, string(id), canonical)
		back, old, err := identifier.ParseResident(id)
		require.NoError(rt, err)
		require.False(rt, old)
		require.Equal(rt, n, back)
	})
}

// FuzzParseResident: it accepts what Canonical accepts, and names the same number.
func FuzzParseResident(f *testing.F) {
	f.Add("11010519491231002X")
	f.Add("11010519491231002x")
	f.Add("110105491231002")
	f.Add("１１０１０５ 19491231002Ｘ")
	f.Add("110105194912310021")
	f.Add("11010519491231002-")
	f.Fuzz(func(t *testing.T, s string) {
		want, wantErr := identifier.Canonical(identifier.ResidentID, s)
		n, _, err := identifier.ParseResident([]byte(s))
		require.Equal(t, wantErr == nil, err == nil)
		if err != nil {
			return
		}
		got, err := n.Append(nil)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	})
}
