package receipt

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	mrand "math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/keyring"
)

func TestVerifyHolds(t *testing.T) {
	w := newWorld(t)
	file, result := w.answer()
	report := Verify(file, result, w.set(), noon())
	require.True(t, report.OK(), report.Text("en"))
	for _, name := range []string{ClaimForm, ClaimStatement, ClaimTrust, ClaimCheckpoint, ClaimEntry, ClaimInclusion, ClaimRequest, ClaimResult} {
		require.True(t, report.Holds(name), name)
	}
	require.Contains(t, report.Text("zh"), "检查点：成立")
	report = Verify(file, nil, w.set(), time.Time{})
	require.True(t, report.OK())
	require.False(t, report.Holds(ClaimResult))
	require.Len(t, report.Notes, 2)

	file, result = w.batch(10)
	report = Verify(file, result, w.set(), noon())
	require.True(t, report.OK() && report.Holds(ClaimRows), report.Text("en"))
	for i := range 10 {
		one, err := OpenRow(result, i)
		require.NoError(t, err)
		report = Verify(file, one, w.set(), noon())
		require.True(t, report.OK() && report.Holds(ClaimResult), report.Text("en"))
		require.NotContains(t, string(one), "0307000"+string(rune('0'+(i+1)%10)))
	}
}

func TestExpiryIsANote(t *testing.T) {
	w := newWorld(t)
	file, _ := w.answer()
	for when, want := range map[time.Time]string{
		{}:     "no time given",
		noon(): "has not expired",
		time.Date(2027, 11, 23, 15, 59, 59, 0, time.UTC): "has not expired",
		time.Date(2027, 11, 23, 16, 0, 0, 0, time.UTC):   "has expired",
	} {
		report := Verify(file, nil, w.set(), when)
		require.True(t, report.OK())
		require.Contains(t, report.Text("en"), want)
	}
}

// changes yields variants of b: each byte XOR 1, and bytes deleted, doubled or
// put in at fixed pseudo-random places.
func changes(b []byte, step int, yield func([]byte)) {
	random := mrand.New(mrand.NewPCG(7, 7))
	for i := 0; i < len(b); i += step {
		changed := bytes.Clone(b)
		changed[i] ^= 1
		yield(changed)
	}
	for range 200 {
		at := random.IntN(len(b))
		yield(append(bytes.Clone(b[:at]), b[at+1:]...))
		yield(append(append(bytes.Clone(b[:at]), byte(random.IntN(256))), b[at:]...))
		yield(b[:at])
		changed := bytes.Clone(b)
		changed[at] ^= byte(1 + random.IntN(255))
		yield(changed)
	}
	yield(append(bytes.Clone(b), '\n'))
	yield(append([]byte{' '}, b...))
	yield([]byte{})
}

func TestEveryByteOfReceiptResultAndTrustIsJudged(t *testing.T) {
	w := newWorld(t)
	set := w.set()
	for name, make := range map[string]func() ([]byte, []byte){
		"answer": w.answer,
		"batch":  func() ([]byte, []byte) { return w.batch(7) },
	} {
		file, result := make()
		require.True(t, Verify(file, result, set, noon()).OK())
		failing := func(file, result []byte, set *TrustSet) {
			report := Verify(file, result, set, noon())
			require.False(t, report.OK(), name)
			require.NotEmpty(t, report.Failed())
		}
		changes(file, 1, func(b []byte) { failing(b, result, set) })
		changes(result, 1, func(b []byte) { failing(file, b, set) })
		changes(w.file, 1, func(b []byte) { failing(file, result, trustSet(t, map[string][]byte{"t.json": b})) })
		if name == "batch" {
			one, err := OpenRow(result, 4)
			require.NoError(t, err)
			changes(one, 1, func(b []byte) { failing(file, b, set) })
		}
	}
}

func TestVerifyNamesTheClaim(t *testing.T) {
	w := newWorld(t)
	file, result := w.answer()
	other := newWorld(t)
	good, err := ParseReceipt(file)
	require.NoError(t, err)
	forged := *good
	forged.Checkpoint = w.checkpoint(other.key, 8, merkleRoot(w.leaves[:8]))
	moved := *good
	moved.Index++
	short := *good
	short.Proof = short.Proof[1:]
	witnessed := *good
	blob := base64.StdEncoding.EncodeToString(make([]byte, 68))
	witnessed.Checkpoint = append(bytes.Clone(good.Checkpoint), "— witness "+blob+"\n"...)
	swapped := *good
	s := w.statement()
	s.Party = "bank-02"
	swapped.Statement = canonical(t, s)
	loose := *good
	loose.Statement = []byte(strings.Replace(string(good.Statement), `"rows":1`, `"rows":2`, 1))
	kind := *good
	kind.Entry = bytes.Clone(good.Entry)
	kind.Entry[4] = byte(audit.Refusal)

	for name, c := range map[string]struct {
		r     *Receipt
		claim string
	}{
		"another key": {&forged, ClaimCheckpoint}, "another index": {&moved, ClaimInclusion}, "short proof": {&short, ClaimInclusion},
		"extra signature line": {&witnessed, ClaimCheckpoint}, "another statement": {&swapped, ClaimEntry},
		"bounds": {&loose, ClaimStatement}, "a refusal": {&kind, ClaimEntry},
	} {
		require.Equal(t, c.claim, Verify(w.bytes(c.r), nil, w.set(), noon()).Failed(), name)
	}
	require.Contains(t, Verify(w.bytes(&loose), nil, w.set(), noon()).Text("en"), "rows")
	require.Equal(t, ClaimTrust, Verify(file, result, other.set(), noon()).Failed())
	require.Equal(t, ClaimTrust, Verify(file, result, nil, noon()).Failed())
	require.Equal(t, ClaimForm, Verify(nil, nil, nil, noon()).Failed())
	require.Equal(t, ClaimForm, Verify(make([]byte, MaxReceipt+1), nil, w.set(), noon()).Failed())

	batchFile, batchResult := w.batch(3)
	require.Equal(t, ClaimResult, Verify(file, batchResult, w.set(), noon()).Failed())
	require.Equal(t, ClaimResult, Verify(batchFile, result, w.set(), noon()).Failed())
	id := strings.Replace(string(result), sample().ID, strings.Repeat("f", 32), 1)
	require.Equal(t, ClaimResult, Verify(file, []byte(id), w.set(), noon()).Failed())
	lie := strings.Replace(string(result), `"yes"`, `"no"`, 1)
	require.Equal(t, ClaimResult, Verify(file, []byte(lie), w.set(), noon()).Failed())
	ask := strings.Replace(string(result), `owns-home`, `owns-cars`, 1)
	require.Equal(t, ClaimRequest, Verify(file, []byte(ask), w.set(), noon()).Failed())
	fewer := strings.Replace(string(batchResult), `{"request":{"id":"220102199003070002"},"result":{"answer":"yes"}}`, ``, 1)
	fewer = strings.Replace(fewer, `},],"seed"`, `}],"seed"`, 1)
	require.Equal(t, ClaimRows, Verify(batchFile, []byte(fewer), w.set(), noon()).Failed())
}

func TestTrustFileLimitsWhatItVouchesFor(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*Trust){
		"domain": func(t *Trust) { t.Domain = "other" },
		"early":  func(t *Trust) { t.NotBefore = "2026-11-24" },
		"build":  func(t *Trust) { t.Builds = []string{"yumen 0.0.9", "yumen 0.1.1"} },
	} {
		trust := w.trust
		change(&trust)
		file, err := trust.Marshal()
		require.NoError(t, err)
		s := w.statement()
		s.Trust = TrustHash(file).String()
		report := Verify(w.bytes(w.release(s)), nil, trustSet(t, map[string][]byte{"t.json": file}), noon())
		require.Equal(t, ClaimTrust, report.Failed(), name)
	}
	trust := w.trust
	trust.Builds, trust.NotBefore = []string{"yumen 0.1.0", "yumen 0.1.1"}, "2026-11-23T09:30:00.125+08:00"
	file, err := trust.Marshal()
	require.NoError(t, err)
	s := w.statement()
	s.Trust = TrustHash(file).String()
	both := trustSet(t, map[string][]byte{"old.json": w.file, "new.json": file})
	require.True(t, Verify(w.bytes(w.release(s)), nil, both, noon()).OK())
}

func TestTrustDirectoryIsStrict(t *testing.T) {
	w := newWorld(t)
	file, _ := w.answer()
	for name, dir := range map[string]fstest.MapFS{
		"empty":     {},
		"readme":    {"a.json": {Data: w.file}, "README": {Data: []byte("x")}},
		"folder":    {"a.json": {Data: w.file}, "b.json/c.json": {Data: w.file}},
		"line end":  {"a.json": {Data: append(bytes.Clone(w.file), '\n')}},
		"too large": {"a.json": {Data: make([]byte, MaxTrust+1)}},
		"broken":    {"a.json": {Data: w.file}, "b.json": {Data: []byte("{}")}},
		"point":     {"a.json": {Data: bytes.Replace(w.file, []byte(`"checkpoint_key":"04`), []byte(`"checkpoint_key":"05`), 1)}},
	} {
		set, err := LoadTrust(dir)
		require.NoError(t, err, name)
		require.ErrorIs(t, set.Err(), ErrTrust, name)
		require.Equal(t, ClaimTrust, Verify(file, nil, set, noon()).Failed(), name)
	}
	_, err := LoadTrust(os.DirFS("testdata/there-is-none"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NotContains(t, err.Error(), "there-is-none")
	bad := w.trust
	bad.Builds = []string{"b", "a"}
	_, err = bad.Marshal()
	require.ErrorIs(t, err, ErrTrust)
}

func TestDetailsHoldNoValue(t *testing.T) {
	w := newWorld(t)
	file, result := w.answer()
	changes(result, 5, func(b []byte) {
		for _, lang := range []string{"zh", "en"} {
			text := Verify(file, b, w.set(), noon()).Text(lang)
			for _, secret := range []string{"2201", "owns", "yes", "bank", "0102"} {
				require.NotContains(t, text, secret)
			}
		}
	})
}

func TestVerifyBody(t *testing.T) {
	body := []byte("a,b\n1,2\n")
	value := FileValue(audit.HashOf(body), int64(len(body)))
	require.NoError(t, RequireCanonical(value))
	o := &Opening{Nonce: Nonce{1}, Value: value}
	result, err := AppendResult(nil, sample().ID, o, o)
	require.NoError(t, err)
	report, err := VerifyBody(result, bytes.NewReader(body))
	require.NoError(t, err)
	require.True(t, report.OK())
	report, err = VerifyBody(result, bytes.NewReader(body[1:]))
	require.NoError(t, err)
	require.Equal(t, ClaimBody, report.Failed())
	_, plain := newWorld(t).answer()
	report, err = VerifyBody(plain, bytes.NewReader(body))
	require.NoError(t, err)
	require.Equal(t, ClaimBody, report.Failed())
}

func TestEveryReasonHasTwoTexts(t *testing.T) {
	for r := reasonHolds; r <= reasonPlanResult; r++ {
		en, zh := r.text()
		require.NotEmpty(t, en, int(r))
		require.NotEmpty(t, zh, int(r))
	}
	for _, name := range []string{ClaimForm, ClaimStatement, ClaimTrust, ClaimCheckpoint, ClaimEntry, ClaimInclusion,
		ClaimRequest, ClaimRows, ClaimResult, ClaimBody, ClaimPlan, ClaimLog, ClaimReceipts, NoteExpiry} {
		require.NotEmpty(t, claimLabel(name))
	}
}

func TestBuildRefuses(t *testing.T) {
	w := newWorld(t)
	text := canonical(t, w.statement())
	entry := audit.Entry{Kind: audit.Release, Statement: StatementHash(text)}
	good := w.append(entry)
	_, err := build(text, good)
	require.NoError(t, err)
	entry.Kind = audit.Refusal
	for name, a := range map[string]*audit.Appended{
		"no entry": {Checkpoint: good.Checkpoint}, "kind": w.append(entry),
		"statement": w.append(audit.Entry{Kind: audit.Release}),
		"proof":     {Entry: good.Entry, Checkpoint: good.Checkpoint, Proof: make([]audit.Hash, MaxProof+1)},
	} {
		_, err := build(text, a)
		require.ErrorIs(t, err, ErrReceipt, name)
	}
}

func TestAnotherPurposeDoesNotVouch(t *testing.T) {
	w := newWorld(t)
	key, err := keyring.GenerateSigner(keyring.Approval, rand.Reader)
	require.NoError(t, err)
	w.trust.CheckpointKey = key.Public().String()
	w.file, err = w.trust.Marshal()
	require.NoError(t, err)
	w.key = key
	file, _ := w.answer()
	require.Equal(t, ClaimCheckpoint, Verify(file, nil, w.set(), noon()).Failed())
}
