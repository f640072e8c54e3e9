package lookup

import (
	"context"
	"crypto/subtle"
	"fmt"
	"slices"
)

// Answer is what an index says of one subject, before a template's choice of
// what is told apart. Its zero value is no answer.
type Answer uint8

// The answers.
const (
	// Yes and No answer all kinds but identity.
	Yes Answer = iota + 1
	No
	// Match and Mismatch answer identity predicates.
	Match
	Mismatch
	// NotFound: the dataset has no such subject.
	NotFound
	// Withheld: the subject is there and withheld.
	Withheld
)

// String is the answer in lower case.
func (a Answer) String() string {
	switch a {
	case Yes:
		return "yes"
	case No:
		return "no"
	case Match:
		return "match"
	case Mismatch:
		return "mismatch"
	case NotFound:
		return "not_found"
	case Withheld:
		return "withheld"
	}
	return "none"
}

// Query asks predicate number Predicate of a program about one subject. All
// parts are canonical forms of masking/identifier: another spelling is another
// subject. Name and Phone belong to identity predicates, and to no other.
type Query struct {
	Predicate   int
	Subject     []byte
	Name, Phone []byte
}

const maxSubject = 4096 // bytes; canonical forms are far shorter

func (p *Program) checkQuery(q *Query) error {
	if q.Predicate < 0 || q.Predicate >= len(p.preds) {
		return fmt.Errorf("%w: no such predicate", ErrQuery)
	}
	if n := len(q.Subject); n == 0 || n > maxSubject {
		return fmt.Errorf("%w: subject is empty or too long", ErrQuery)
	}
	identity := p.preds[q.Predicate].src.Kind == Identity
	for _, part := range [][]byte{q.Name, q.Phone} {
		if identity != (len(part) > 0) || len(part) > maxSubject {
			return fmt.Errorf("%w: name and phone go with identity, and both", ErrQuery)
		}
	}
	return nil
}

// Lookup answers one question. The work does not depend on the answer. An error
// is never an answer: ErrQuery, ErrCorrupt, ErrStorage, ErrClosed, or ctx's.
func (ix *Index) Lookup(ctx context.Context, q *Query) (Answer, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := ix.p.checkQuery(q); err != nil {
		return 0, fmt.Errorf("look up: %w", err)
	}
	if !ix.ref() {
		return 0, fmt.Errorf("look up: %w", ErrClosed)
	}
	defer ix.unref()
	r, err := ix.reader()
	if err != nil {
		return 0, fmt.Errorf("look up: %w", err)
	}
	k := r.hash.key(q.Subject)
	a, err := ix.answer(r, &k, q)
	ix.giveBack(r)
	if err != nil {
		return 0, fmt.Errorf("look up: %w", err)
	}
	return a, nil
}

// answer looks up a key and does the same steps for every outcome.
func (ix *Index) answer(r *reader, k *indexKey, q *Query) (Answer, error) {
	if ix.p.preds[q.Predicate].src.Kind == Identity {
		r.hash.digest(r.digests[:digestSize], k, nameDigest, q.Name)
		r.hash.digest(r.digests[digestSize:], k, phoneDigest, q.Phone)
	}
	rec, found, err := ix.fetch(r, k)
	if err != nil {
		return 0, err
	}
	return ix.p.judge(&rec, found, q.Predicate, &r.digests), nil
}

// fetch opens the record of k or, if there is none, the decoy.
func (ix *Index) fetch(r *reader, k *indexKey) (rec record, found bool, err error) {
	var zero indexKey
	key, sealed := &zero, ix.m.Decoy
	it, err := r.iterator(ix, k)
	if err != nil {
		return rec, false, err
	}
	if it.SeekGE(k[:]) && subtle.ConstantTimeCompare(it.Key(), k[:]) == 1 {
		found, key = true, k
		if sealed, err = it.ValueAndErr(); err != nil {
			return rec, false, scrub(err)
		}
	}
	if err := it.Error(); err != nil {
		return rec, false, scrub(err)
	}
	if ix.broken.Load() || len(sealed) != len(ix.m.Decoy) {
		return rec, false, ErrCorrupt
	}
	if r.clear, err = r.open.open(r.clear[:0], key, sealed); err != nil {
		return rec, false, err
	}
	return rec, found, rec.get(r.clear)
}

// judge reads one predicate's answer off a record.
func (p *Program) judge(rec *record, found bool, predicate int, asked *[identitySize]byte) Answer {
	same := subtle.ConstantTimeCompare(rec.digests[:], asked[:])
	match := same & int(rec.flags>>1&1)
	bit := int(rec.outcomes >> predicate & 1)
	identity := p.preds[predicate].src.Kind == Identity
	switch {
	case !found:
		return NotFound
	case rec.flags&flagWithheld != 0:
		return Withheld
	case identity:
		return Answer(subtle.ConstantTimeSelect(match, int(Match), int(Mismatch)))
	}
	return Answer(subtle.ConstantTimeSelect(bit, int(Yes), int(No)))
}

const (
	batchMin   = 32   // questions worth a goroutine
	batchCheck = 1024 // questions between looks at ctx
)

// LookupBatch answers qs[i] in out[i], which has the length of qs. It reads the
// index in key order and on all processors. On error no answer of out counts.
func (ix *Index) LookupBatch(ctx context.Context, qs []Query, out []Answer) error {
	if len(qs) != len(out) {
		return fmt.Errorf("look up batch: %w: want as many answers as questions", ErrQuery)
	}
	clear(out)
	for i := range qs {
		if err := ix.p.checkQuery(&qs[i]); err != nil {
			return fmt.Errorf("look up batch: question %d: %w", i+1, err)
		}
	}
	if !ix.ref() {
		return fmt.Errorf("look up batch: %w", ErrClosed)
	}
	defer ix.unref()
	order := make([]sortKey, len(qs))
	err := ix.spread(ctx, len(qs), func(r *reader, i int) error {
		k := r.hash.key(qs[i].Subject)
		order[i] = newSortKey(k[:], i)
		return nil
	})
	if err == nil {
		slices.SortFunc(order, sortKey.compare)
		err = ix.spread(ctx, len(qs), func(r *reader, i int) (err error) {
			k, at := order[i].key(), order[i].at
			out[at], err = ix.answer(r, &k, &qs[at])
			return err
		})
	}
	if err != nil {
		clear(out)
		return fmt.Errorf("look up batch: %w", err)
	}
	return nil
}

// spread calls f for 0 to n-1, each of a few contiguous ranges in order by a
// goroutine with a reader of its own.
func (ix *Index) spread(ctx context.Context, n int, f func(r *reader, i int) error) error {
	parts := min(workers(), max(1, n/batchMin))
	return parallel(parts, func(part int) error {
		r, err := ix.reader()
		if err != nil {
			return err
		}
		defer ix.giveBack(r)
		for i := n * part / parts; i < n*(part+1)/parts; i++ {
			if i%batchCheck == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			if err := f(r, i); err != nil {
				return err
			}
		}
		return nil
	})
}
