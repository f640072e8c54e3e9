package risk

import (
	"encoding/binary"

	"github.com/apache/arrow/go/v17/arrow"
)

// Diversity counts, per class, the distinct values of one sensitive column
// (distinct l-diversity). Null counts as a value. It is not safe for
// concurrent use.
type Diversity struct {
	classes   *Classes
	sensitive *Classes
	met       map[[8]byte]struct{} // class and value, both by number
	distinct  []int64              // by class
}

// NewDiversity prepares counting as NewClasses does.
func NewDiversity(schema *arrow.Schema, quasi []string, sensitive string) (*Diversity, error) {
	c, err := NewClasses(schema, quasi)
	if err != nil {
		return nil, err
	}
	s, err := NewClasses(schema, []string{sensitive})
	if err != nil {
		return nil, err
	}
	return &Diversity{classes: c, sensitive: s, met: make(map[[8]byte]struct{})}, nil
}

// Add counts the records of a batch.
func (d *Diversity) Add(rec arrow.Record) error {
	quasi, err := d.classes.open(rec)
	if err != nil {
		return err
	}
	values, err := d.sensitive.open(rec)
	if err != nil {
		return err
	}
	for i := range int(rec.NumRows()) {
		class, err := d.classes.count(quasi, i)
		if err != nil {
			return err
		}
		value, err := d.sensitive.count(values, i)
		if err != nil {
			return err
		}
		if int(class) == len(d.distinct) {
			d.distinct = append(d.distinct, 0)
		}
		var pair [8]byte
		binary.BigEndian.PutUint32(pair[:4], uint32(class))
		binary.BigEndian.PutUint32(pair[4:], uint32(value))
		if _, ok := d.met[pair]; !ok {
			d.met[pair] = struct{}{}
			d.distinct[class]++
		}
	}
	return nil
}

// L is the least number of distinct sensitive values in a class; 0 when
// nothing was counted.
func (d *Diversity) L() int64 {
	var l int64
	for _, n := range d.distinct {
		if l == 0 || n < l {
			l = n
		}
	}
	return l
}

// Classes are the classes the values were counted in.
func (d *Diversity) Classes() *Classes { return d.classes }
