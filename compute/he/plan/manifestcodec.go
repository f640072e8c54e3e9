package plan

import "fmt"

func (m *Manifest) body() ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	w := &writer{}
	w.raw(manifestPrefix)
	w.text(m.Dataset)
	w.text(m.Version)
	w.text(m.Provider)
	w.u32(uint32(len(m.Changes)))
	for _, c := range m.Changes {
		w.hash(c.Manifest)
		w.u64(c.Subjects)
	}
	w.u32(uint32(len(m.Lanes)))
	for i := range m.Lanes {
		m.Lanes[i].write(w)
	}
	w.u32(uint32(len(m.Overlaps)))
	for _, o := range m.Overlaps {
		w.text(o.Column)
		w.u32(o.Cells)
		w.u64(o.Smallest)
	}
	return w.b, nil
}

func (l *Lane) write(w *writer) {
	w.text(l.Name)
	w.u8(int(l.Kind))
	w.texts(l.Columns)
	w.texts(l.Present)
	w.hash(l.Key)
	w.u32(l.Degree)
	w.u64(l.Bound)
	w.u8(int(l.Scale))
	w.texts(l.Groups)
	w.u32(uint32(len(l.Sections)))
	for i := range l.Sections {
		s := &l.Sections[i]
		w.text(s.Name)
		w.u32(s.First)
		w.u32(s.Batches)
		w.u64(s.Positions)
		for _, c := range s.Counts { // as many as groups
			w.u64(c.Rows)
			w.u64(c.Subjects)
			w.u32(c.Top1)
			w.u32(c.Top2)
		}
	}
	w.hash(l.Root)
}

// SigningBytes is what the provider signs.
func (m *Manifest) SigningBytes() ([]byte, error) {
	b, err := m.body()
	if err != nil {
		return nil, err
	}
	return append([]byte(manifestDomain), b...), nil
}

// Hash is SM3 of SigningBytes: the signature is not in it.
func (m *Manifest) Hash() ([32]byte, error) {
	b, err := m.body()
	if err != nil {
		return [32]byte{}, err
	}
	return hashOf(manifestDomain, b), nil
}

// Bytes is the canonical form with the signature.
func (m *Manifest) Bytes() ([]byte, error) { return signed(m.body, m.Signature) }

func signed(body func() ([]byte, error), signature []byte) ([]byte, error) {
	b, err := body()
	if err != nil {
		return nil, err
	}
	if len(signature) > maxSignature {
		return nil, fmt.Errorf("%w: signature of %d bytes", ErrInvalid, len(signature))
	}
	w := &writer{b: b}
	w.text(string(signature))
	return w.b, nil
}

// ParseManifest accepts the canonical form only, of at most MaxManifest bytes. It
// verifies no signature.
func ParseManifest(b []byte) (*Manifest, error) {
	if len(b) > MaxManifest {
		return nil, fmt.Errorf("%w: manifest of %d bytes", ErrMalformed, len(b))
	}
	r := &reader{b: b}
	r.expect(manifestPrefix)
	m := &Manifest{Dataset: r.text(maxName), Version: r.text(maxName), Provider: r.text(maxName)}
	for range r.count(maxChanges, 40) {
		m.Changes = append(m.Changes, Change{Manifest: r.hash(), Subjects: r.u64()})
	}
	for range r.count(maxLanes, 70) {
		m.Lanes = append(m.Lanes, readLane(r))
	}
	for range r.count(maxLanes*2+1, 16) {
		m.Overlaps = append(m.Overlaps, Overlap{Column: r.text(maxName), Cells: r.u32(), Smallest: r.u64()})
	}
	m.Signature = r.signature()
	if !r.done() {
		return nil, fmt.Errorf("%w: manifest", ErrMalformed)
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("%w: manifest: %w", ErrMalformed, err)
	}
	return m, nil
}

func (r *reader) signature() []byte {
	if s := r.text(maxSignature); s != "" {
		return []byte(s)
	}
	return nil
}

func readLane(r *reader) Lane {
	l := Lane{
		Name: r.text(maxName), Kind: LaneKind(r.u8()), Columns: r.texts(2), Present: r.texts(maxColumns),
		Key: r.hash(), Degree: r.u32(), Bound: r.u64(), Scale: uint8(r.u8()), Groups: r.texts(maxGroups),
	}
	for range r.count(maxSections, 20+24*l.groups()) {
		s := Section{Name: r.text(maxName), First: r.u32(), Batches: r.u32(), Positions: r.u64()}
		for range l.groups() {
			s.Counts = append(s.Counts, Count{Rows: r.u64(), Subjects: r.u64(), Top1: r.u32(), Top2: r.u32()})
		}
		l.Sections = append(l.Sections, s)
	}
	l.Root = r.hash()
	return l
}
