// Package pram changes categories by chance: the Post-RAndomisation Method
// (Gouweleeuw, Kooiman, Willenborg and de Wolf, Post Randomisation for
// Statistical Disclosure Control: Theory and Implementation, Journal of
// Official Statistics 14, 1998; in ISO/IEC 20889's terms a randomization
// technique). Every cell becomes category b with probability p(a,b), where a
// is what it was: rows of the transition matrix p are what goes in, columns
// what comes out.
//
// What is protected: whether a cell shows what it was, as far as the matrix
// makes that doubtful. Probabilities are exact rationals, drawn without
// rounding under a key by the row's number in the read, however it is batched:
// the same read masked twice is masked alike and averages to nothing.
//
// What is not protected: counts over many rows, which whoever knows the matrix
// estimates without bias by its inverse: that is the method's purpose. A
// category that shows tells what it was with up to MaxCertainty where all are
// equally frequent, and with more where they are not: a matrix that has doubt
// only where a category never occurs has none. Which cells are null. Several cells of one person are drawn apart,
// and together say more. The key gives the draws away.
package pram

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/yumen-project/yumen/masking/draw"
	"github.com/yumen-project/yumen/masking/kernel"
)

// MaxCategories is how many categories there may be.
const MaxCategories = 1024

// Params is a literal; New checks it.
type Params struct {
	// Categories lists every value that may occur, 2 to MaxCategories, as
	// text: of integers in decimal, of booleans true and false.
	Categories []string
	// Keep is the probability that a cell stays what it is; the others share
	// the rest alike. A rational from 0 to below 1, such as 4/5 or 0.8.
	Keep string
	// Matrix holds the transition probabilities instead, one row for each
	// category in their order, each of sum 1.
	Matrix [][]string
}

// Parse reads categories, keep and matrix. Categories and the rows of the
// matrix are separated by semicolons, or by the character that the parameter
// separator names; the numbers of a row by blanks.
func Parse(params map[string]string) (Params, error) {
	separator := ";"
	if s, ok := params["separator"]; ok {
		if utf8.RuneCountInString(s) != 1 || strings.ContainsAny(s, " \t0123456789./-") || !utf8.ValidString(s) {
			return Params{}, errors.New("parameter separator: want one character that is in no number")
		}
		separator = s
	}
	var p Params
	for name, v := range params {
		switch name {
		case "separator":
		case "categories":
			p.Categories = strings.Split(v, separator)
		case "keep":
			if v == "" {
				return Params{}, errors.New("parameter keep: empty")
			}
			p.Keep = v
		case "matrix":
			for _, row := range strings.Split(v, separator) {
				p.Matrix = append(p.Matrix, strings.Fields(row))
			}
		default:
			return Params{}, fmt.Errorf("parameter %q is unknown to pram", name)
		}
	}
	return p, nil
}

// New checks the parameters and makes the kernel. The key has at least
// draw.MinKey bytes and is not retained; column is the column's name, by which
// columns under one key draw apart.
func New(p Params, key []byte, column string) (kernel.Kernel, error) {
	r, err := open(p, key, column)
	if err != nil {
		return nil, err
	}
	if err := doubtful(r.chances, len(r.categories)); err != nil {
		return nil, fmt.Errorf("pram: %w", err)
	}
	return r, nil
}

func open(p Params, key []byte, column string) (*randomizer, error) {
	if len(p.Categories) < 2 || len(p.Categories) > MaxCategories {
		return nil, fmt.Errorf("pram: want 2 to %d categories", MaxCategories)
	}
	seen := make(map[string]bool, len(p.Categories))
	for i, c := range p.Categories {
		if c == "" || !utf8.ValidString(c) || seen[c] {
			return nil, fmt.Errorf("pram: category %d is empty, not text or there twice", i+1)
		}
		seen[c] = true
	}
	r := &randomizer{categories: append([]string(nil), p.Categories...)}
	var err error
	switch {
	case (p.Keep == "") == (p.Matrix == nil):
		return nil, errors.New("pram: want either keep or matrix")
	case p.Keep != "":
		r.chances, err = newUniform(p.Keep, len(p.Categories))
	default:
		r.chances, err = newMatrix(p.Matrix, len(p.Categories))
	}
	if err != nil {
		return nil, fmt.Errorf("pram: %w", err)
	}
	if r.stream, err = draw.New(key, "pram", column); err != nil {
		return nil, fmt.Errorf("pram: %w", err)
	}
	return r, nil
}

// randomizer is the kernel.
type randomizer struct {
	categories []string
	chances    chances
	stream     *draw.Stream
}

// ByRow implements kernel.ByRow: rows are treated and not distinct values. A
// dictionary comes as it is, or all cells of a value would change alike.
func (*randomizer) ByRow() {}

var _ kernel.ByRow = (*randomizer)(nil)
