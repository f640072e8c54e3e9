package masking

import (
	"errors"
	"slices"

	"github.com/yumen-project/yumen/masking/dateshift"
	"github.com/yumen-project/yumen/masking/deterministic"
	"github.com/yumen-project/yumen/masking/fpe"
	"github.com/yumen-project/yumen/masking/generalize"
	"github.com/yumen-project/yumen/masking/keep"
	"github.com/yumen-project/yumen/masking/kernel"
	"github.com/yumen-project/yumen/masking/microaggregate"
	"github.com/yumen-project/yumen/masking/perturb"
	"github.com/yumen-project/yumen/masking/pram"
	"github.com/yumen-project/yumen/masking/pseudonym"
	"github.com/yumen-project/yumen/masking/rankswap"
	"github.com/yumen-project/yumen/masking/redact"
	"github.com/yumen-project/yumen/masking/shuffle"
	"github.com/yumen-project/yumen/masking/suppress"
)

// Names of the techniques, as a policy writes them.
const (
	TechniqueKeep           = "keep"
	TechniqueSuppress       = "suppress"
	TechniqueRedact         = "redact"
	TechniqueGeneralize     = "generalize"
	TechniquePseudonym      = "pseudonym"
	TechniqueFPE            = "fpe"
	TechniqueEncrypt        = "encrypt"
	TechniqueDateShift      = "date_shift"
	TechniquePerturb        = "perturb"
	TechniqueShuffle        = "shuffle"
	TechniqueRankSwap       = "rank_swap"
	TechniquePRAM           = "pram"
	TechniqueMicroaggregate = "microaggregate"
)

// orderPreserving knows the technique by its names, so that it can be refused
// with its reason.
func orderPreserving(name string) bool {
	return slices.Contains([]string{"order-preserving", "order_preserving", "preserve_order"}, name)
}

var errOrder = errors.New("order-preserving encryption is refused: order and frequency together " +
	"give the values back; use generalize for ranges and pseudonym for joins")

// techniques is the table of all techniques: the one place that knows them.
func techniques() []technique {
	return []technique{
		{name: TechniqueKeep, about: aboutKeep(), build: buildKeep},
		{name: TechniqueSuppress, direct: true, about: aboutSuppress(), build: buildSuppress},
		{name: TechniqueRedact, direct: true, about: aboutRedact(), build: buildRedact},
		{name: TechniqueGeneralize, about: aboutGeneralize(), build: buildGeneralize},
		{name: TechniquePseudonym, keyed: true, direct: true, about: aboutPseudonym(), build: buildPseudonym},
		{name: TechniqueFPE, keyed: true, direct: true, about: aboutFPE(), build: buildFPE},
		{name: TechniqueEncrypt, keyed: true, direct: true, inside: true, about: aboutEncrypt(), build: buildEncrypt},
		{name: TechniqueDateShift, keyed: true, spelt: true, subject: "subject", about: aboutDateShift(), build: buildDateShift},
		{name: TechniquePerturb, drawn: true, about: aboutPerturb(), build: buildPerturb},
		{name: TechniqueShuffle, keyed: true, placed: true, about: aboutShuffle(), build: buildShuffle},
		{name: TechniqueRankSwap, keyed: true, placed: true, about: aboutRankSwap(), build: buildRankSwap},
		{name: TechniquePRAM, keyed: true, placed: true, about: aboutPRAM(), build: buildPRAM},
		{name: TechniqueMicroaggregate, placed: true, about: aboutMicroaggregate(), build: buildMicroaggregate},
	}
}

func buildKeep(b *builder) (kernel.Kernel, error) { return keep.New(b.params) }

func buildSuppress(b *builder) (kernel.Kernel, error) {
	p, err := suppress.Parse(b.params)
	if err != nil || p.Dropped() {
		return nil, err
	}
	return suppress.New(p)
}

func buildRedact(b *builder) (kernel.Kernel, error) {
	p, err := redact.Parse(b.params)
	if err != nil {
		return nil, err
	}
	p.Identifier = b.column.Class == ClassDirect
	return redact.New(p)
}

func buildGeneralize(b *builder) (kernel.Kernel, error) {
	p, err := generalize.Parse(b.params)
	if err != nil {
		return nil, err
	}
	return generalize.New(p)
}

func buildPseudonym(b *builder) (kernel.Kernel, error) {
	p, err := pseudonym.Parse(b.params)
	if err != nil {
		return nil, err
	}
	return pseudonym.New(p, b.key)
}

func buildFPE(b *builder) (kernel.Kernel, error) {
	p, err := fpe.Parse(b.params)
	if err != nil {
		return nil, err
	}
	p.Identifier = b.column.Class == ClassDirect
	return fpe.New(p, b.key)
}

// buildEncrypt binds values to their column unless the policy binds them to
// something else.
func buildEncrypt(b *builder) (kernel.Kernel, error) {
	p, err := deterministic.Parse(b.params)
	if err != nil {
		return nil, err
	}
	if p.Associated == "" {
		p.Associated = b.column.Name
	}
	return deterministic.New(p, b.key)
}

func buildDateShift(b *builder) (kernel.Kernel, error) {
	p, err := dateshift.Parse(b.params)
	if err != nil {
		return nil, err
	}
	return dateshift.New(p, b.key)
}

func buildPerturb(b *builder) (kernel.Kernel, error) {
	p, err := perturb.Parse(b.params)
	if err != nil {
		return nil, err
	}
	if b.noise == nil {
		return nil, errors.New("perturb needs noise and no source of noise is given")
	}
	n, err := b.noise.Noise(b.column.Name)
	if err != nil {
		return nil, err
	}
	return perturb.New(p, n)
}

func buildShuffle(b *builder) (kernel.Kernel, error) {
	p, err := shuffle.Parse(b.params)
	if err != nil {
		return nil, err
	}
	return shuffle.New(p, b.key, b.column.Name)
}

func buildRankSwap(b *builder) (kernel.Kernel, error) {
	p, err := rankswap.Parse(b.params)
	if err != nil {
		return nil, err
	}
	return rankswap.New(p, b.key, b.column.Name)
}

func buildPRAM(b *builder) (kernel.Kernel, error) {
	p, err := pram.Parse(b.params)
	if err != nil {
		return nil, err
	}
	return pram.New(p, b.key, b.column.Name)
}

func buildMicroaggregate(b *builder) (kernel.Kernel, error) {
	p, err := microaggregate.Parse(b.params)
	if err != nil {
		return nil, err
	}
	return microaggregate.New(p)
}
