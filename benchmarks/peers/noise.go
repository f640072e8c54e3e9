package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/google/differential-privacy/go/v3/noise"

	"github.com/yumen-project/yumen/compute/dp"
)

// Noise is measured side by side with google/differential-privacy's Go library:
// integer noise on one number, of the same scale on both sides.
const (
	noiseDraws  = 20_000
	noiseProof  = 400_000
	noiseScale  = 20 // of Laplace; epsilon is its inverse
	noiseEps    = 0.2
	noiseDelta  = 1e-5
	noiseMargin = 0.03 // of the variance; over noiseProof draws its deviation is below 0.004
)

// noiseTable prints a table for each distribution.
func noiseTable(out io.Writer) error {
	src, err := dp.NewSource(rand.Reader)
	if err != nil {
		return err
	}
	laplace, err := dp.NewLaplace(dp.Rat{Num: noiseScale, Den: 1})
	if err != nil {
		return err
	}
	sigma := noise.SigmaForGaussian(1, 1, noiseEps, noiseDelta)
	gaussian, err := dp.NewGaussian(dp.Rat{Num: uint64(math.Round(sigma * sigma * 1000)), Den: 1000})
	if err != nil {
		return err
	}
	ours := func(sample func(*dp.Source) int64) func() (int64, error) {
		return func() (int64, error) { return sample(src), nil }
	}
	peerLaplace := func() (int64, error) { return noise.Laplace().AddNoiseInt64(0, 1, 1, 1.0/noiseScale, 0) }
	peerGaussian := func() (int64, error) { return noise.Gaussian().AddNoiseInt64(0, 1, 1, noiseEps, noiseDelta) }

	for name, draw := range map[string]func() (int64, error){"ours": ours(laplace.Sample), "peer": peerLaplace} {
		if err := sameNoise(draw, 2*noiseScale*noiseScale); err != nil {
			return fmt.Errorf("laplace, %s: %w", name, err)
		}
	}
	for name, draw := range map[string]func() (int64, error){"ours": ours(gaussian.Sample), "peer": peerGaussian} {
		if err := sameNoise(draw, sigma*sigma); err != nil {
			return fmt.Errorf("gaussian, %s: %w", name, err)
		}
	}
	if err := table(out, fmt.Sprintf("Laplace noise, scale %d", noiseScale), []*side{
		draws("yumen, exact sampler", ours(laplace.Sample)),
		draws("google/differential-privacy v3.0.0", peerLaplace),
	}); err != nil {
		return err
	}
	return table(out, fmt.Sprintf("Gaussian noise, sigma %.1f", sigma), []*side{
		draws("yumen, exact sampler", ours(gaussian.Sample)),
		draws("google/differential-privacy v3.0.0", peerGaussian),
		draws("  of that, its search for sigma", func() (int64, error) {
			return int64(noise.SigmaForGaussian(1, 1, noiseEps, noiseDelta)), nil
		}),
	})
}

// draws is a side that draws noiseDraws numbers at a time.
func draws(name string, one func() (int64, error)) *side {
	return &side{name: name, values: noiseDraws, work: func() error {
		for range noiseDraws {
			if _, err := one(); err != nil {
				return err
			}
		}
		return nil
	}}
}

// sameNoise shows that a side is used rightly: mean and variance are those meant.
func sameNoise(one func() (int64, error), variance float64) error {
	var sum, squares float64
	for range noiseProof {
		x, err := one()
		if err != nil {
			return err
		}
		sum += float64(x)
		squares += float64(x) * float64(x)
	}
	mean, got := sum/noiseProof, squares/noiseProof
	if math.Abs(mean) > 6*math.Sqrt(variance/noiseProof) || math.Abs(got/variance-1) > noiseMargin {
		return errors.New("noise is not of the scale meant")
	}
	return nil
}
