package dp

import (
	"context"
	"fmt"
)

// Mechanism names a distribution of noise.
type Mechanism uint8

// The mechanisms. The zero Mechanism is neither.
const (
	LaplaceNoise  Mechanism = iota + 1 // Parameter is the scale b
	GaussianNoise                      // Parameter is sigma^2
)

// Scale is noise of one mechanism and parameter. Two scales are the same noise
// iff they are equal once NewScale has put them into lowest terms.
type Scale struct {
	Mechanism Mechanism
	Parameter Rat
}

// NewScale checks a scale and puts it into lowest terms. Errors wrap
// ErrParameter.
func NewScale(m Mechanism, parameter Rat) (Scale, error) {
	s := Scale{Mechanism: m, Parameter: parameter}
	if _, err := s.sampler(); err != nil {
		return Scale{}, err
	}
	s.Parameter, _ = parameter.reduced()
	return s, nil
}

// sampler draws from a Source; its implementations are Laplace and Gaussian.
type sampler interface{ Sample(*Source) int64 }

func (s Scale) sampler() (sampler, error) {
	switch s.Mechanism {
	case LaplaceNoise:
		return NewLaplace(s.Parameter)
	case GaussianNoise:
		return NewGaussian(s.Parameter)
	}
	return nil, fmt.Errorf("noise scale: %w: unknown mechanism", ErrParameter)
}

// Noise hands out draws, each once. Pool is the one for production.
type Noise interface {
	// Take fills dst with independent draws of a scale in lowest terms.
	Take(ctx context.Context, s Scale, dst []int64) error
}

// Direct draws when asked, from one Source: for jobs whose time nobody observes,
// and for tests. For one goroutine.
type Direct struct {
	src      *Source
	samplers map[Scale]sampler
}

// NewDirect draws from src, which is the Direct's own from now on.
func NewDirect(src *Source) *Direct {
	return &Direct{src: src, samplers: make(map[Scale]sampler)}
}

// Take implements Noise. Errors wrap ErrParameter, or are the context's.
func (d *Direct) Take(ctx context.Context, s Scale, dst []int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	draws, ok := d.samplers[s]
	if !ok {
		var err error
		if draws, err = s.sampler(); err != nil {
			return err
		}
		d.samplers[s] = draws
	}
	for i := range dst {
		dst[i] = draws.Sample(d.src)
	}
	return nil
}
