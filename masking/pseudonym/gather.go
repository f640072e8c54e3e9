package pseudonym

import (
	"github.com/yumen-project/yumen/masking/identifier"
	"github.com/yumen-project/yumen/masking/kernel"
	"github.com/yumen-project/yumen/masking/sm3lanes"
)

// chunk is how many rows are treated at a time: enough to fill the lanes many
// times over, few enough for messages and codes to stay in the cache.
const chunk = 512

// gatherer collects the messages of one chunk after the other in memory of its
// own. It holds values: clear it in the end.
type gatherer struct {
	kind  identifier.Kind
	c     column
	data  []byte
	off   [chunk + 1]int64
	has   [chunk]bool // rows of the chunk that have a message
	codes [chunk * sm3lanes.Size]byte
	text  [20]byte // the digits of one integer
}

// messages lie one after the other: message i is data[offsets[i]:offsets[i+1]].
type messages struct {
	data    []byte
	offsets []int64
}

func (m messages) count() int { return len(m.offsets) - 1 }

func newGatherer(kind identifier.Kind, c column) *gatherer {
	return &gatherer{kind: kind, c: c, data: make([]byte, 0, 32*chunk)}
}

// clear wipes what was gathered.
func (g *gatherer) clear() { clear(g.data[:cap(g.data)]) }

// gather gives the messages of the rows from up to to that are neither null nor
// malformed, and says which those are.
func (g *gatherer) gather(env *kernel.Env, from, to int) (messages, error) {
	if g.kind == "" && g.c.valid.None() {
		if data, ok := g.c.rows.span(g.off[:], from, to); ok {
			for i := range to - from {
				g.has[i] = true
			}
			return messages{data: data, offsets: g.off[:to-from+1]}, nil
		}
	}
	n := 0
	g.data = g.data[:0]
	for i := from; i < to; i++ {
		g.has[i-from] = false
		if g.c.valid.Null(i) {
			continue
		}
		ok, err := g.add(env, i)
		if err != nil {
			return messages{}, err
		}
		if ok {
			g.has[i-from] = true
			n++
			g.off[n] = int64(len(g.data))
		}
	}
	return messages{data: g.data, offsets: g.off[:n+1]}, nil
}

// add appends the message of a row; false means that the row is malformed.
func (g *gatherer) add(env *kernel.Env, row int) (bool, error) {
	v := g.c.rows.value(g.text[:0], row)
	if g.kind == "" {
		g.data = append(g.data, v...)
		return true, nil
	}
	if g.kind == identifier.ResidentID && g.addResident(v) {
		return true, nil
	}
	data, err := identifier.AppendCanonical(g.data, g.kind, v)
	if err != nil {
		return false, env.Malformed(row, err.Error())
	}
	g.data = data
	return true, nil
}

// addResident appends a resident number that is canonical as it stands, and
// reports whether it was: the common case at half the cost of looking for
// separators and full-width digits.
func (g *gatherer) addResident(v []byte) bool {
	const body = 17
	if len(v) != body+1 {
		return false
	}
	data, err := identifier.AppendResidentID(g.data, v[:body])
	if err != nil || data[len(data)-1] != v[body] {
		return false
	}
	g.data = data
	return true
}
