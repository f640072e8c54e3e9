package generalize

import (
	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

// labels collects one label a row; each distinct label is made once. Rows
// point into the distinct labels until finish knows the size.
type labels struct {
	env   *kernel.Env
	rows  []int32 // index of the label, -1 for none
	known map[int64]int32
	ends  []int // end of each label in text
	text  []byte
	size  int
}

func newLabels(env *kernel.Env, n int) *labels {
	return &labels{env: env, rows: make([]int32, 0, n), known: make(map[int64]int32)}
}

func (l *labels) skip() { l.rows = append(l.rows, -1) }

func (l *labels) add(key int64, text func([]byte, int64) []byte) {
	at, ok := l.known[key]
	if !ok {
		at = int32(len(l.ends))
		l.known[key] = at
		l.text = text(l.text, key)
		l.ends = append(l.ends, len(l.text))
	}
	l.rows = append(l.rows, at)
	l.size += len(l.get(at))
}

func (l *labels) get(at int32) []byte {
	from := 0
	if at > 0 {
		from = l.ends[at-1]
	}
	return l.text[from:l.ends[at]]
}

func (l *labels) finish(v kernel.Validity) (arrow.Array, error) {
	w, err := kernel.NewWriter[int32](l.env.Alloc, len(l.rows), l.size)
	if err != nil {
		return nil, err
	}
	pos := 0
	for i, at := range l.rows {
		if at >= 0 {
			pos += copy(w.Data[pos:], l.get(at))
		}
		w.Off[i+1] = int32(pos)
	}
	return w.Finish(l.env, v, arrow.BinaryTypes.String), nil
}
