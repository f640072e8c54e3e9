// Command peers measures encrypted sums side by side with packed Paillier of a
// maintained library, and exact noise with google/differential-privacy, on one
// core, alternating within one run, and prints the ratios of the medians. It is a
// module of its own so that the peers are no dependencies of the project.
//
//	cd benchmarks/peers && go run . [sums|noise]
package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/yumen-project/yumen/compute/he"
)

const rounds = 15

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1) //nolint:forbidigo // a command of its own, outside cmd
	}
}

// side is one contender: what it does to how many values.
type side struct {
	name   string
	values int
	bytes  float64
	work   func() error
	spent  []time.Duration
}

func (s *side) perValue() float64 {
	slices.Sort(s.spent)
	return float64(s.spent[len(s.spent)/2].Nanoseconds()) / float64(s.values)
}

// run measures what is named, or all.
func run(args []string, out io.Writer) error {
	runtime.GOMAXPROCS(1)
	measures := map[string]func(io.Writer) error{"sums": sumTable, "noise": noiseTable}
	if len(args) == 0 {
		args = []string{"sums", "noise"}
	}
	for _, name := range args {
		measure := measures[name]
		if measure == nil {
			return fmt.Errorf("no measure is named %q", name)
		}
		if err := measure(out); err != nil {
			return err
		}
	}
	return nil
}

func sumTable(out io.Writer) error {
	ours, err := newOurs()
	if err != nil {
		return err
	}
	peer, err := newPacker()
	if err != nil {
		return err
	}
	ciphertexts, err := prove(peer, ours.values)
	if err != nil {
		return err
	}
	bytes := float64(modulusBits/4) / slots
	encrypt := []*side{
		{name: "yumen, two limbs, hashed", values: len(ours.values), bytes: ours.bytes, work: ours.encrypt},
		{name: "packed Paillier-2048, library", values: slots, bytes: bytes, work: peer.once(peer.library, ours.values)},
		{name: "packed Paillier-2048, short exponent", values: slots, bytes: bytes, work: peer.once(peer.short, ours.values)},
	}
	add := []*side{
		{name: "yumen, two limbs", values: len(ours.values) * len(ours.leaves), bytes: ours.bytes, work: ours.add},
		{name: "packed Paillier-2048, library", values: slots * len(ciphertexts), bytes: bytes, work: func() error {
			_, err := peer.sum(ciphertexts)
			return err
		}},
	}
	if err := table(out, "encrypt", encrypt); err != nil {
		return err
	}
	return table(out, "add", add)
}

func table(out io.Writer, title string, sides []*side) error {
	for range rounds {
		for _, s := range sides {
			start := time.Now()
			if err := s.work(); err != nil {
				return err
			}
			s.spent = append(s.spent, time.Since(start))
		}
	}
	base := sides[0].perValue()
	fmt.Fprintf(out, "%-40s %12s %14s %9s %10s\n", title, "ns/value", "values/s", "B/value", "ratio")
	for _, s := range sides {
		fmt.Fprintf(out, "%-40s %12.1f %14.0f %9.1f %10.1f\n", s.name, s.perValue(), 1e9/s.perValue(), s.bytes, s.perValue()/base)
	}
	fmt.Fprintln(out)
	return nil
}

func (p *packer) once(encrypt func([]int64) (*big.Int, error), values []int64) func() error {
	return func() error {
		_, err := encrypt(values[:slots])
		return err
	}
}

func (p *packer) sum(ciphertexts []*big.Int) (*big.Int, error) {
	sum := ciphertexts[0]
	for _, c := range ciphertexts[1:] {
		var err error
		if sum, err = p.private.HomoAdd(sum, c); err != nil {
			return nil, err
		}
	}
	return sum, nil
}

// prove shows that the peer is used rightly: both its forms decrypt to the sum.
func prove(p *packer, values []int64) ([]*big.Int, error) {
	var ciphertexts []*big.Int
	var want int64
	for i := range 32 {
		part := values[i*slots : (i+1)*slots]
		for _, v := range part {
			want += v
		}
		encrypt := p.library
		if i%2 == 1 {
			encrypt = p.short
		}
		c, err := encrypt(part)
		if err != nil {
			return nil, err
		}
		ciphertexts = append(ciphertexts, c)
	}
	sum, err := p.sum(ciphertexts)
	if err != nil {
		return nil, err
	}
	got, err := p.open(sum, int64(len(ciphertexts)))
	if err != nil {
		return nil, err
	}
	if got != want {
		return nil, errors.New("the peer's packed sum is wrong")
	}
	return ciphertexts, nil
}

// ours is the project's side. The public key is a uniform pair, which nobody can
// tell from a real one: what is measured needs no secret.
type ours struct {
	params *he.Parameters
	enc    *he.Encryptor
	header he.Header
	values []int64
	dst    []byte
	leaves []*he.Leaf
	bytes  float64
}

func newOurs() (*ours, error) {
	p, err := he.NewParameters(he.AddLiteral())
	if err != nil {
		return nil, err
	}
	b, err := p.Expand([32]byte{}, "b")
	if err != nil {
		return nil, err
	}
	a, err := p.Expand([32]byte{}, "a")
	if err != nil {
		return nil, err
	}
	o := &ours{params: p, header: he.Header{Rows: uint32(p.N())}, values: make([]int64, p.N()), dst: make([]byte, p.LeafSize())}
	o.bytes = float64(p.LeafSize()) / float64(p.N())
	if o.enc, err = he.NewEncryptor(p, &he.PublicKey{B: b, A: a}, rand.Reader); err != nil {
		return nil, err
	}
	for i := range o.values {
		o.values[i] = int64(i-2048) * 123_456_789
	}
	for range 64 {
		l, err := o.enc.Encrypt(nil, o.header, o.values, 1<<valueBits)
		if err != nil {
			return nil, err
		}
		o.leaves = append(o.leaves, l)
	}
	return o, nil
}

func (o *ours) encrypt() error {
	l, err := o.enc.Encrypt(o.dst, o.header, o.values, 1<<valueBits)
	if err != nil {
		return err
	}
	l.Hash()
	return nil
}

func (o *ours) add() error {
	return he.NewAccumulator(o.params, o.header.Key).Add(o.leaves...)
}
