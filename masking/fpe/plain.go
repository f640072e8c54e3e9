package fpe

// readPlain is read for text in which every byte is a numeral.
func (t *text) readPlain(v []byte, h *halves) int {
	n := len(v)
	if n < t.least || n >= len(t.shapes) {
		return 0
	}
	radix, u := uint64(len(t.abc.symbols)), n/2
	var odd int8
	var a, b uint64
	for _, c := range v[:u] {
		d := t.abc.byte[c]
		odd |= d
		a = a*radix + uint64(d)
	}
	for _, c := range v[u:] {
		d := t.abc.byte[c]
		odd |= d
		b = b*radix + uint64(d)
	}
	if odd < 0 {
		return 0
	}
	*h = halves{a, b}
	return n
}

// sound reports that every byte is a numeral and that there are enough.
func (t *text) sound(v []byte) bool {
	var odd int8
	for _, c := range v {
		odd |= t.abc.byte[c]
	}
	return odd >= 0 && len(v) >= t.least
}

// writePlain writes the numerals of two halves as one byte each.
func (t *text) writePlain(dst []byte, h halves) {
	u := len(dst) / 2
	if len(t.abc.symbols) == 10 {
		t.decimal(dst[:u], h.a)
		t.decimal(dst[u:], h.b)
		return
	}
	t.positional(dst[:u], h.a)
	t.positional(dst[u:], h.b)
}

func (t *text) decimal(dst []byte, v uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = t.abc.sign[v%10]
		v /= 10
	}
}

func (t *text) positional(dst []byte, v uint64) {
	radix := uint64(len(t.abc.symbols))
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = t.abc.sign[v%radix%64]
		v /= radix
	}
}
