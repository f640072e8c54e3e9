package receipt

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	tjsm3 "github.com/tjfoc/gmsm/sm3"

	"github.com/yumen-project/yumen/gateway/audit"
)

// public is what an onlooker has: receipts, the log's leaves and the trust file.
type public struct {
	receipts [][]byte
	leaves   []audit.Hash
	trust    []byte
}

// hashes collects every 32-byte digest an onlooker can find.
func (p *public) hashes(t *testing.T) map[audit.Hash]bool {
	out := map[audit.Hash]bool{}
	for _, leaf := range p.leaves {
		out[leaf] = true
	}
	for _, file := range p.receipts {
		r, err := ParseReceipt(file)
		require.NoError(t, err)
		s, err := ParseStatement(r.Statement)
		require.NoError(t, err)
		e, err := audit.ParseEntry(r.Entry)
		require.NoError(t, err)
		out[e.Statement], out[e.Private] = true, true
		for _, text := range []string{s.Request, s.Result, s.Policy} {
			raw, err := hex.DecodeString(text)
			require.NoError(t, err)
			out[audit.Hash(raw)] = true
		}
		for _, h := range r.Proof {
			out[h] = true
		}
	}
	return out
}

// guessedNonces are those an onlooker can think of: constants and all digests
// that are public, also as seeds of a batch.
func guessedNonces(known map[audit.Hash]bool, statement *Statement) []Nonce {
	out := []Nonce{{}, Nonce(bytes.Repeat([]byte{0xFF}, 32)), Nonce(audit.HashOf([]byte(statement.ID))),
		Nonce(audit.HashOf([]byte(statement.Serial))), Nonce(audit.HashOf([]byte(statement.Time)))}
	for h := range known {
		seed := Seed(h)
		out = append(out, Nonce(h), seed.RequestNonce(), seed.RowNonce(0), seed.RowNonce(1))
	}
	return out
}

// TestDictionaryRecoversNothing tries all subjects and answers of a small city
// against all that is public, with and without guessed nonces.
func TestDictionaryRecoversNothing(t *testing.T) {
	w := newWorld(t)
	request, answer := w.secret(t, 42, "yes")
	s := w.statement()
	s.Request, s.Result = request.Commit(TagRequest).String(), answer.Commit(TagResult).String()
	single := w.bytes(w.release(s))
	var seed Seed
	_, err := rand.Read(seed[:])
	require.NoError(t, err)
	commitments := NewRowCommitments(&seed, 2)
	for i, result := range []string{"yes", "no"} {
		commitments.Add(subject(i), answerValue(result))
	}
	nonce := seed.RequestNonce()
	s.Kind, s.Rows, s.Result = KindBatch, 2, commitments.Root().String()
	s.Request = Commit(TagRequest, &nonce, []byte(`{}`)).String()
	seen := public{receipts: [][]byte{single, w.bytes(w.release(s))}, leaves: w.leaves, trust: w.file}

	known := seen.hashes(t)
	nonces := guessedNonces(known, s)
	values := [][]byte{answerValue("yes"), answerValue("no"), answerValue("not_found"), answerValue("withheld")}
	for i := range 200 {
		values = append(values, subject(i))
	}
	for _, value := range values {
		require.False(t, known[audit.HashOf(value)] || known[audit.Hash(tjsm3.Sm3Sum(value))])
		for i := range nonces {
			require.False(t, known[Commit(TagRequest, &nonces[i], value)] || known[Commit(TagResult, &nonces[i], value)])
		}
	}
	for i := range 20 {
		for _, value := range values[:4] {
			for n := range nonces {
				leaf := CommitRow(&nonces[n], uint64(i%2), subject(i), value)
				require.False(t, known[leaf])
			}
		}
	}
	require.True(t, known[request.Commit(TagRequest)], "the search finds what it is given")
	for _, file := range append(seen.receipts, seen.trust) {
		require.NotContains(t, string(file), "2201021990")
		require.NotContains(t, string(file), hex.EncodeToString(request.Nonce[:8]))
		require.NotContains(t, string(file), hex.EncodeToString(seed[:8]))
	}
}

func subject(i int) []byte { return fmt.Appendf(nil, `{"id":"2201021990%08d"}`, i) }

func answerValue(s string) []byte { return []byte(`{"answer":"` + s + `"}`) }

// secret opens a request on one subject and its answer under fresh nonces.
func (w *world) secret(t *testing.T, who int, answer string) (request, result *Opening) {
	request, result = &Opening{Value: subject(who)}, &Opening{Value: answerValue(answer)}
	for _, o := range []*Opening{request, result} {
		_, err := rand.Read(o.Nonce[:])
		require.NoError(t, err)
	}
	return request, result
}

// TestPublicMaterialDiffersByNonceOnly runs two different questions with two
// different answers: every field of the statement but the two commitments is
// the same, and the receipts are equally long.
func TestPublicMaterialDiffersByNonceOnly(t *testing.T) {
	w := newWorld(t)
	var seen []*Statement
	var files [][]byte
	for i, answer := range []string{"yes", "not_found"} {
		request, result := w.secret(t, i, answer)
		s := w.statement()
		s.Request, s.Result = request.Commit(TagRequest).String(), result.Commit(TagResult).String()
		files = append(files, canonical(t, s))
		parsed, err := ParseStatement(files[i])
		require.NoError(t, err)
		require.NotEqual(t, parsed.Request, parsed.Result)
		parsed.Request, parsed.Result = "", ""
		seen = append(seen, parsed)
	}
	require.Equal(t, seen[0], seen[1])
	require.Equal(t, len(files[0]), len(files[1]))
}

// TestCommitmentsLookRandom: over many fresh nonces of one and the same value,
// each of the 256 bits is set about half of the time. 2,000 draws, bound at six
// standard deviations: a sound hash fails with probability below 1e-6.
func TestCommitmentsLookRandom(t *testing.T) {
	var ones [256]int
	var all []audit.Hash
	for i := range 2000 {
		nonce := Nonce(audit.HashOf(fmt.Append(nil, "fixed", i)))
		h := Commit(TagResult, &nonce, answerValue("yes"))
		all = append(all, h)
		for bit := range ones {
			ones[bit] += int(h[bit/8] >> (bit % 8) & 1)
		}
	}
	for bit, n := range ones {
		require.InDelta(t, 1000, n, 135, bit)
	}
	slices.SortFunc(all, func(a, b audit.Hash) int { return bytes.Compare(a[:], b[:]) })
	require.Len(t, slices.Compact(all), 2000)
}
