package plain

import (
	"fmt"
	"hash/maphash"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow/decimal128"

	"github.com/yumen-project/yumen/compute"
)

// coder numbers the values of one group column. Code 0 is the null.
type coder struct {
	col   int
	ints  map[int64]uint32
	nums  map[decimal128.Num]uint32
	texts map[string]uint32
	keys  []string // by code, as the result writes them
	max   int

	batch  int      // the batch byDict belongs to
	byDict []uint32 // code + 1 by dictionary position
}

func newCoder(col, maxKeys int) *coder {
	return &coder{
		col: col, max: maxKeys,
		ints: make(map[int64]uint32), nums: make(map[decimal128.Num]uint32), texts: make(map[string]uint32),
		keys: []string{compute.NullKey},
	}
}

// keyBytes is the estimate of what a key costs in map and list besides its text.
const keyBytes = 96

func (g *coder) add(p *pool, key string) (uint32, error) {
	if len(g.keys) > g.max {
		return 0, fmt.Errorf("%w: more than %d groups", compute.ErrLimit, g.max)
	}
	if err := p.charge(keyBytes + 2*int64(len(key))); err != nil {
		return 0, err
	}
	g.keys = append(g.keys, key)
	return uint32(len(g.keys) - 1), nil
}

// encode writes into codes the code of each selected record.
func (g *coder) encode(p *pool, c *column, sel []int32, codes []uint32) (row int, err error) {
	switch {
	case c.dict != nil:
		return g.encodeDict(p, c, sel, codes)
	case c.kind == physInt:
		return encodeMap(c, sel, codes, c.ints, g.ints, func(v int64) (uint32, error) {
			key, err := intKey(c.dt, v)
			if err != nil {
				return 0, fmt.Errorf("%w: %w", compute.ErrData, err)
			}
			return g.add(p, key)
		})
	case c.kind == physNum:
		return encodeMap(c, sel, codes, c.nums, g.nums, func(v decimal128.Num) (uint32, error) {
			return g.add(p, numKey(c.dt, v))
		})
	}
	for k, i := range sel {
		b, ok := c.bytesAt(int(i))
		if !ok {
			codes[k] = 0
			continue
		}
		if codes[k], err = g.text(p, b); err != nil {
			return int(i), err
		}
	}
	return 0, nil
}

// encodeMap looks values up, asking add for those not met before.
func encodeMap[T comparable](c *column, sel []int32, codes []uint32, vals []T, known map[T]uint32, add func(T) (uint32, error)) (row int, err error) {
	var last T
	var code uint32 // of last, once it is not zero
	for k, i := range sel {
		if !c.valid(int(i)) {
			codes[k] = 0
			continue
		}
		v := vals[i]
		if code == 0 || v != last {
			var ok bool
			if code, ok = known[v]; !ok {
				if code, err = add(v); err != nil {
					return int(i), err
				}
				known[v] = code
			}
			last = v
		}
		codes[k] = code
	}
	return 0, nil
}

func (g *coder) text(p *pool, b []byte) (uint32, error) {
	if code, ok := g.texts[string(b)]; ok {
		return code, nil
	}
	if !utf8.Valid(b) {
		return 0, fmt.Errorf("%w: text is not UTF-8", compute.ErrData)
	}
	text := string(b)
	code, err := g.add(p, compute.TextKey(text))
	if err == nil {
		g.texts[text] = code
	}
	return code, err
}

// encodeDict looks each dictionary value up once, and only those that a
// selected record refers to.
func (g *coder) encodeDict(p *pool, c *column, sel []int32, codes []uint32) (row int, err error) {
	if g.batch != c.batch {
		g.batch = c.batch
		g.byDict = make([]uint32, c.dict.n)
	}
	for k, i := range sel {
		d := c.codes[i]
		if d < 0 {
			codes[k] = 0
			continue
		}
		if g.byDict[d] == 0 {
			code, err := g.text(p, c.dict.at(int(d)))
			if err != nil {
				return int(i), err
			}
			g.byDict[d] = code + 1
		}
		codes[k] = g.byDict[d] - 1
	}
	return 0, nil
}

// groups numbers the combinations of the group columns.
type groups struct {
	coders []*coder
	joins  []*index // joins[k] numbers (group so far, code of column k+1)
	links  []vec[uint64]
	ids    []uint32 // per selected record
	codes  []uint32
}

func newGroups(cols []int, maxGroups int, seed maphash.Seed) *groups {
	g := &groups{}
	for k, col := range cols {
		g.coders = append(g.coders, newCoder(col, maxGroups))
		if k > 0 {
			g.joins = append(g.joins, newIndex(seed))
			g.links = append(g.links, vec[uint64]{})
		}
	}
	return g
}

// size is one more than the largest group number that can have occurred.
func (g *groups) size() int {
	switch len(g.coders) {
	case 0:
		return 1
	case 1:
		return len(g.coders[0].keys)
	}
	return g.joins[len(g.joins)-1].n
}

// number fills ids for the selected records; row is where an error arose.
func (g *groups) number(p *pool, cols []*column, sel []int32) (row int, err error) {
	g.ids, g.codes = room(g.ids, len(sel)), room(g.codes, len(sel))
	if len(g.coders) == 0 {
		clear(g.ids)
		return 0, nil
	}
	for k, coder := range g.coders {
		dst := g.codes
		if k == 0 {
			dst = g.ids
		}
		if row, err = coder.encode(p, cols[coder.col], sel, dst); err != nil {
			return row, fmt.Errorf("group by field %q: %w", cols[coder.col].name, err)
		}
		if k > 0 {
			if err = g.join(p, k-1); err != nil {
				return 0, fmt.Errorf("group by field %q: %w", cols[coder.col].name, err)
			}
		}
	}
	return 0, nil
}

// join replaces ids by the numbers of (id, code) and keeps how to go back.
func (g *groups) join(p *pool, k int) error {
	x := g.joins[k]
	for i, code := range g.codes {
		pair := uint64(g.ids[i])<<32 | uint64(code)
		id, fresh, err := x.put(p, pair)
		if err != nil {
			return err
		}
		if fresh {
			if err := g.links[k].grow(p, x.n); err != nil {
				return err
			}
			g.links[k].v[id] = pair
		}
		g.ids[i] = id
	}
	return nil
}

// keys writes the keys of group id.
func (g *groups) keys(id uint32) []string {
	out := make([]string, len(g.coders))
	for k := len(g.coders) - 1; k >= 0; k-- {
		code := id
		if k > 0 {
			pair := g.links[k-1].v[id]
			id, code = uint32(pair>>32), uint32(pair)
		}
		out[k] = g.coders[k].keys[code]
	}
	return out
}

func (g *groups) free(p *pool) {
	for k := range g.joins {
		g.joins[k].free(p)
		g.links[k].free(p)
	}
}
