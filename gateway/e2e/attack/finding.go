package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
)

// Finding is what one attack learned beside what theory allows it to learn. The unit of both figures is
// the attack's own and stands in Detail.
type Finding struct {
	Attack  string  `json:"attack"`
	Learned float64 `json:"learned"`
	Allowed float64 `json:"allowed"`
	OK      bool    `json:"ok"`
	Detail  string  `json:"detail"`
}

// report gathers findings and prints each on a line of its own.
type report struct {
	out    io.Writer
	all    []Finding
	failed int
}

// found judges: more learned than allowed is a failure.
func (r *report) found(attack string, learned, allowed float64, detail string, args ...any) {
	f := Finding{Attack: attack, Learned: short(learned), Allowed: short(allowed), OK: learned <= allowed, Detail: fmt.Sprintf(detail, args...)}
	if !f.OK {
		r.failed++
	}
	r.all = append(r.all, f)
	line, err := json.Marshal(f)
	if err != nil {
		line = []byte(`{"attack":"unprintable","ok":false}`)
		r.failed++
	}
	fmt.Fprintf(r.out, "%s\n", line)
}

// short keeps four decimals, and figures JSON can hold.
func short(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return math.MaxInt32
	}
	return math.Round(x*1e4) / 1e4
}
