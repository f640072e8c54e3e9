package audit

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func testCheckpoint(t testing.TB, size uint64) *Checkpoint {
	t.Helper()
	cp := &Checkpoint{Origin: testOrigin, Size: size, Root: HashOf([]byte{1}), Time: 1_700_000_000_000}
	require.NoError(t, cp.sign(testName, fakeSigner{"one"}))
	return cp
}

func TestEntryLayout(t *testing.T) {
	e := Entry{Kind: Refusal, Time: 0x0102030405060708, Statement: Hash{1}, Private: Hash{2}}
	b := e.AppendTo([]byte("x"))[1:]
	require.Len(t, b, EntrySize)
	require.Equal(t, "YLE\x01\x06\x00\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08\x01", string(b[:17]))
	require.Equal(t, byte(2), b[48])
	got, err := ParseEntry(b)
	require.NoError(t, err)
	require.Equal(t, e, got)
	for at, bad := range map[int]byte{0: 'X', 3: 2, 4: 0, 5: 1, 6: 1, 7: 1, 8: 0x80} {
		c := bytes.Clone(b)
		c[at] = bad
		_, err := ParseEntry(c)
		require.ErrorIs(t, err, ErrEntry, "byte %d", at)
	}
	c := bytes.Clone(b)
	c[4] = 12
	_, err = ParseEntry(c)
	require.ErrorIs(t, err, ErrEntry)
	for _, n := range []int{0, 79, 81} {
		_, err := ParseEntry(make([]byte, n))
		require.ErrorIs(t, err, ErrEntry)
	}
	require.Equal(t, "kind(12)", Kind(12).String())
	require.Equal(t, "outcome", Outcome.String())
	require.Equal(t, "genesis", Genesis.String())
}

func TestEntryRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := Entry{Kind: Kind(rapid.IntRange(1, 10).Draw(t, "kind")), Time: rapid.Int64Min(0).Draw(t, "time")}
		copy(e.Statement[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "statement"))
		got, err := ParseEntry(e.AppendTo(nil))
		require.NoError(t, err)
		require.Equal(t, e, got)
	})
}

func TestCheckpointForm(t *testing.T) {
	cp := testCheckpoint(t, 42)
	lines := strings.Split(string(cp.Text), "\n")
	require.Equal(t, testOrigin, lines[0])
	require.Equal(t, "42", lines[1])
	require.Equal(t, base64.StdEncoding.EncodeToString(cp.Root[:]), lines[2])
	require.Equal(t, "time 1700000000000", lines[3])
	require.Empty(t, lines[5])
	require.True(t, strings.HasPrefix(lines[6], "— "+testName+" "))
	require.Len(t, lines, 8)
	got, err := ParseCheckpoint(cp.Text, testOrigin, testName, fakeSigner{"one"}.verify)
	require.NoError(t, err)
	require.Equal(t, cp, got)
}

func TestEveryChangedByteOfACheckpointIsRefused(t *testing.T) {
	cp := testCheckpoint(t, 42)
	v := fakeSigner{"one"}.verify
	for at := range cp.Text {
		for _, with := range []byte{cp.Text[at] ^ 1, cp.Text[at] ^ 0x20, cp.Text[at] ^ 0x80, '\n', ' ', '0', '='} {
			if with == cp.Text[at] {
				continue
			}
			changed := bytes.Clone(cp.Text)
			changed[at] = with
			_, err := ParseCheckpoint(changed, testOrigin, testName, v)
			require.ErrorIs(t, err, ErrCheckpoint, "byte %d", at)
		}
		_, err := ParseCheckpoint(append(bytes.Clone(cp.Text[:at]), cp.Text[at+1:]...), testOrigin, testName, v)
		require.ErrorIs(t, err, ErrCheckpoint)
	}
}

func TestCheckpointStrictness(t *testing.T) {
	cp := testCheckpoint(t, 42)
	v := fakeSigner{"one"}.verify
	yes := func(_, _ []byte) bool { return true }
	text := string(cp.Text)
	body, sig, _ := strings.Cut(text, "\n\n")
	witness := "— witness.test/w " + base64.StdEncoding.EncodeToString(make([]byte, 76)) + "\n"

	got, err := ParseCheckpoint([]byte(text+witness), testOrigin, testName, v)
	require.NoError(t, err)
	require.Equal(t, cp.Root, got.Root)
	_, err = ParseCheckpoint([]byte(body+"\n\n"+witness+sig), testOrigin, testName, v)
	require.NoError(t, err)

	for name, bad := range map[string]string{
		"empty":               "",
		"no signature":        body + "\n",
		"no signature line":   body + "\n\n",
		"only a witness":      body + "\n\n" + witness,
		"signed twice":        text + sig,
		"blank line":          text + "\n",
		"no newline":          strings.TrimSuffix(text, "\n"),
		"carriage returns":    strings.ReplaceAll(text, "\n", "\r\n"),
		"leading zero":        strings.Replace(text, "\n42\n", "\n042\n", 1),
		"plus":                strings.Replace(text, "\n42\n", "\n+42\n", 1),
		"negative time":       strings.Replace(text, "time 17", "time -17", 1),
		"upper case key":      strings.ToUpper(body) + "\n\n" + sig,
		"extra extension":     body + "\nmore\n\n" + sig,
		"huge size":           strings.Replace(text, "\n42\n", "\n18446744073709551616\n", 1),
		"size beyond bound":   strings.Replace(text, "\n42\n", "\n18446744073709551615\n", 1),
		"witness with spaces": text + "— a b AAAAAAA=\n",
		"witness too short":   text + "— a AAAA\n",
		"hyphen":              strings.Replace(text, "— ", "- ", 1),
		"too many lines":      text + strings.Repeat(witness, 17),
		"too long":            text + strings.Repeat(witness, 200),
		"not utf-8":           text + "\xff",
	} {
		_, err := ParseCheckpoint([]byte(bad), testOrigin, testName, yes)
		require.ErrorIs(t, err, ErrCheckpoint, name)
	}
	_, err = ParseCheckpoint(cp.Text, "other", testName, yes)
	require.ErrorIs(t, err, ErrCheckpoint)
	_, err = ParseCheckpoint(cp.Text, testOrigin, "other", yes)
	require.ErrorIs(t, err, ErrCheckpoint)
	_, err = ParseCheckpoint(cp.Text, testOrigin, testName, nil)
	require.ErrorIs(t, err, ErrCheckpoint)
	_, err = ParseCheckpoint(cp.Text, testOrigin, testName, fakeSigner{"two"}.verify)
	require.ErrorIs(t, err, ErrCheckpoint)
	for _, name := range []string{"", "a b", "a+b", "a\nb", "a\tb", "a\x00", "\xff", strings.Repeat("a", 256)} {
		require.Error(t, checkNames(testOrigin, name))
		require.Error(t, checkNames(name, testName))
	}
	require.Error(t, checkNames(snapshotTag, testName), "a snapshot's statement is no checkpoint")
}

func TestTilePaths(t *testing.T) {
	require.Equal(t, "tile/0/000", tilePath(0, 0, 256))
	require.Equal(t, "tile/1/x001/x234/067", tilePath(1, 1234067, 256))
	require.Equal(t, "tile/entries/x001/000.p/255", tilePath(bundleLevel, 1000, 255))
	rapid.Check(t, func(t *rapid.T) {
		level := rapid.IntRange(-1, 5).Draw(t, "level")
		index := rapid.Uint64Range(0, 1<<40).Draw(t, "index")
		width := rapid.IntRange(1, 256).Draw(t, "width")
		l, i, w, ok := parseTilePath(tilePath(level, index, width))
		require.True(t, ok)
		require.Equal(t, level, l)
		require.Equal(t, index, i)
		require.Equal(t, width, w)
	})
	for _, bad := range []string{"", "tile", "tile/0", "tile/0/00", "tile/0/0000", "tile/00/000", "tile/0/x000/000",
		"tile/0/000.p", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/001/000", "tile/0/x001/x000",
		"tile/64/000", "tile/-1/000", "tile/0/../000", "tile/0//000", "tile/0/+01", "other/0/000",
		"tile/0/" + strings.Repeat("x999/", 9) + "999"} {
		_, _, _, ok := parseTilePath(bad)
		require.False(t, ok, bad)
	}
}

func TestExpectedTiles(t *testing.T) {
	for _, size := range []uint64{0, 1, 255, 256, 257, 65535, 65536, 65537, 70000} {
		n := 0
		for level := -1; level < 4; level++ {
			for index := range uint64(300) {
				for width := 1; width <= 256; width++ {
					if expected(size, level, index, width) {
						n++
					}
				}
			}
		}
		want := 0
		for level := 0; size>>(8*level) > 0; level++ {
			tiles := int(size>>(8*(level+1))) + 1
			if size>>(8*level)&255 == 0 {
				tiles--
			}
			want += tiles
			if level == 0 {
				want += tiles
			}
		}
		require.Equal(t, want, n, "size %d", size)
	}
}

func FuzzParseEntry(f *testing.F) {
	f.Add(Entry{Kind: Release, Time: 1}.AppendTo(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, err := ParseEntry(b); err == nil && !bytes.Equal(e.AppendTo(nil), b) {
			t.Fatal("not canonical")
		}
	})
}

func FuzzParseCheckpoint(f *testing.F) {
	f.Add(testCheckpoint(f, 42).Text)
	f.Add([]byte(testOrigin + "\n0\n\ntime 0\nkey 00\n\n— a AAAAAAA=\n"))
	yes := func(_, _ []byte) bool { return true }
	f.Fuzz(func(t *testing.T, b []byte) {
		cp, err := ParseCheckpoint(b, testOrigin, testName, yes)
		if err == nil && !bytes.HasPrefix(b, append(cp.body(nil), '\n')) {
			t.Fatal("not canonical")
		}
	})
}

func FuzzParseFrame(f *testing.F) {
	entry := Entry{Kind: Release}.AppendTo(nil)
	f.Add(appendFrame(nil, 7, 3, 2, entry, nil, []byte("private")), uint32(7))
	f.Add(appendFrame(nil, 7, 3, 2, entry, []byte("statement"), []byte("private")), uint32(7))
	f.Fuzz(func(t *testing.T, b []byte, salt uint32) {
		fr, err := parseFrame(b, salt)
		if err == nil && !bytes.Equal(appendFrame(nil, salt, fr.index, fr.group, fr.entry, fr.statement, fr.private), b[:fr.size]) {
			t.Fatal("not canonical")
		}
		sc := &scanner{r: bytes.NewReader(b), salt: salt, end: int64(len(b))}
		for {
			if _, err := sc.frame(); err != nil {
				break
			}
		}
		_, _ = laterGroup(sc, 0)
		_, _ = nonZero(sc)
	})
}

func FuzzParseSlot(f *testing.F) {
	b, err := encodeSlot(7, []byte("text"))
	require.NoError(f, err)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if seq, text, ok := parseSlot(b); ok {
			again, err := encodeSlot(seq, text)
			if err != nil || !bytes.HasPrefix(b, again) {
				t.Fatal("not canonical")
			}
		}
	})
}

func FuzzParseSnapshot(f *testing.F) {
	s := &Snapshot{Name: "n", Index: 1, Payload: []byte("p")}
	sum, err := payloadHash(s.Payload, nil)
	require.NoError(f, err)
	f.Add(append(s.head(sum, make([]byte, SignatureSize)), s.Payload...))
	yes := func(_, _ []byte) bool { return true }
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseSnapshot(bytes.NewReader(b), int64(len(b)), "n", testOrigin, yes)
		if err != nil {
			return
		}
		sum, err := payloadHash(s.Payload, nil)
		if err != nil || !bytes.Equal(append(s.head(sum, b[snapshotSigned:snapshotHeader]), s.Payload...), b) {
			t.Fatal("not canonical")
		}
	})
}

func FuzzParseTilePath(f *testing.F) {
	f.Add("tile/1/x001/x234/067.p/7")
	f.Fuzz(func(t *testing.T, path string) {
		if level, index, width, ok := parseTilePath(path); ok && tilePath(level, index, width) != path {
			t.Fatal("not canonical")
		}
	})
}

func FuzzParseSegmentHeader(f *testing.F) {
	f.Add(encodeSegmentHeader(segmentMagic, 3, Hash{1}, 9))
	f.Add(encodeSegmentHeader(formerMagic, 3, Hash{1}, 9))
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = parseSegmentHeader(b, 3, Hash{1}) })
}
