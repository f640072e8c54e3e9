package pqwrite

import "encoding/binary"

// Wire types of the Thrift compact protocol.
const (
	wireTrue   = 1
	wireFalse  = 2
	wireByte   = 3
	wireI32    = 5
	wireI64    = 6
	wireBinary = 8
	wireList   = 9
	wireStruct = 12
)

// compact appends structs of the Thrift compact protocol, which Parquet's page
// headers and footers are written in.
type compact struct {
	out  []byte
	last []int16 // field last written, per open struct
}

func (c *compact) open() { c.last = append(c.last, 0) }

func (c *compact) close() {
	c.out = append(c.out, 0)
	c.last = c.last[:len(c.last)-1]
}

// field writes the header of a field; ids ascend by at most 15.
func (c *compact) field(id int16, wire byte) {
	top := len(c.last) - 1
	c.out = append(c.out, byte(id-c.last[top])<<4|wire)
	c.last[top] = id
}

func (c *compact) i32(id int16, v int32) {
	c.field(id, wireI32)
	c.zigzag(int64(v))
}

func (c *compact) i64(id int16, v int64) {
	c.field(id, wireI64)
	c.zigzag(v)
}

func (c *compact) text(id int16, s string) {
	c.field(id, wireBinary)
	c.bare(s)
}

func (c *compact) bare(s string) {
	c.out = binary.AppendUvarint(c.out, uint64(len(s)))
	c.out = append(c.out, s...)
}

func (c *compact) zigzag(v int64) { c.out = binary.AppendVarint(c.out, v) }

func (c *compact) flag(id int16, v bool) {
	if v {
		c.field(id, wireTrue)
		return
	}
	c.field(id, wireFalse)
}

// within writes a struct as a field.
func (c *compact) within(id int16, body func()) {
	c.field(id, wireStruct)
	c.open()
	body()
	c.close()
}

// list writes the header of a list of n elements.
func (c *compact) list(id int16, wire byte, n int) {
	c.field(id, wireList)
	if n < 15 {
		c.out = append(c.out, byte(n)<<4|wire)
		return
	}
	c.out = append(c.out, 0xf0|wire)
	c.out = binary.AppendUvarint(c.out, uint64(n))
}
