package file

import (
	"context"
	"fmt"
	"io"
	"unicode/utf8"
)

// Rules that a CSV record may break; the words go into errors.
const (
	ruleNUL        = "NUL byte"
	ruleBareQuote  = "quote inside an unquoted cell"
	ruleBareCR     = "carriage return without line feed"
	ruleAfterQuote = "text after a closing quote"
	ruleOpenQuote  = "quote left open at the end of the file"
	ruleUTF8       = "invalid UTF-8"
	ruleFew        = "too few fields"
	ruleMany       = "too many fields"
	ruleCellSize   = "cell over its size limit"
	ruleRecordSize = "record over its size limit (is a quote left open?)"
)

const (
	firstWindow = 256 << 10
	leastRecord = 4 << 20
)

// cell is one cell of the current record: offsets into the window from the
// start of the record, quotes removed.
type cell struct {
	off, end int
	quoted   bool
}

// scanner cuts a CSV stream into records. It holds one record at a time, in a
// window that grows up to maxRecord.
type scanner struct {
	ctx       context.Context
	src       io.Reader
	buf       []byte
	row, pos  int // start of the record, and how far it has been cut
	end       int
	eof       bool
	special   [256]bool
	sep       byte
	fields    int
	maxCell   int
	maxRecord int
	cells     []cell // of the current record
	high      byte   // all bytes of the current cell, or-ed
}

func newScanner(ctx context.Context, src io.Reader, sep byte, fields int, maxCell int64) *scanner {
	s := &scanner{
		ctx: ctx, src: src, sep: sep, fields: fields,
		maxCell:   int(maxCell),
		maxRecord: int(max(leastRecord, 4*maxCell)),
		buf:       make([]byte, firstWindow),
		cells:     make([]cell, 0, fields),
	}
	for _, c := range []byte{sep, '"', '\r', '\n', 0} {
		s.special[c] = true
	}
	return s
}

// bytes gives the content of a cell of the current record.
func (s *scanner) bytes(c cell) []byte { return s.buf[s.row+c.off : s.row+c.end] }

// fault is a broken rule at a cell (0-based) of the current record; it becomes
// a RowError where row and field name are known.
type fault struct {
	cell  int
	rule  string
	limit bool
}

func (f *fault) Error() string { return f.rule }

func (s *scanner) fault(rule string) error { return &fault{cell: len(s.cells), rule: rule} }

// skipBOM drops a byte order mark at the start of the stream.
func (s *scanner) skipBOM() error {
	for s.end < 3 && !s.eof {
		if err := s.fill(); err != nil {
			return err
		}
	}
	if s.end >= 3 && s.buf[0] == 0xef && s.buf[1] == 0xbb && s.buf[2] == 0xbf {
		s.row, s.pos = 3, 3
	}
	return nil
}

// record cuts the next record into s.cells; false at the end of the stream.
// A record of too few or too many cells is a fault.
func (s *scanner) record() (bool, error) {
	s.row, s.cells = s.pos, s.cells[:0]
	if s.pos == s.end {
		if ok, err := s.more(); !ok {
			return false, err
		}
	}
	for {
		if len(s.cells) == s.fields {
			return false, &fault{cell: -1, rule: ruleMany}
		}
		last, err := s.cell()
		if err != nil {
			return false, err
		}
		if last {
			break
		}
	}
	if len(s.cells) != s.fields {
		return false, &fault{cell: -1, rule: ruleFew}
	}
	return true, nil
}

// cell cuts one cell at s.pos and says whether it ended the record.
func (s *scanner) cell() (last bool, err error) {
	s.high = 0
	if s.pos == s.end {
		if _, err := s.more(); err != nil {
			return false, err
		}
	}
	if s.pos < s.end && s.buf[s.pos] == '"' {
		return s.quotedCell()
	}
	start := s.pos - s.row
	for {
		s.scanPlain()
		if s.pos < s.end {
			break
		}
		ok, err := s.more()
		if err != nil {
			return false, err
		}
		if !ok {
			return true, s.keep(start, s.pos-s.row, false)
		}
	}
	stop := s.pos - s.row
	last, err = s.endOfCell(ruleBareQuote)
	if err != nil {
		return false, err
	}
	return last, s.keep(start, stop, false)
}

// scanPlain moves s.pos to the next special byte of the window, or to its end.
func (s *scanner) scanPlain() {
	b, high, i := s.buf[s.pos:s.end], s.high, 0
	for i < len(b) && !s.special[b[i]] {
		high |= b[i]
		i++
	}
	s.high = high
	s.pos += i
}

// endOfCell steps over the separator or line end at s.pos. At the end of the
// stream the record ends. other is the rule broken by any other byte.
func (s *scanner) endOfCell(other string) (last bool, err error) {
	if s.pos == s.end {
		if ok, err := s.more(); !ok {
			return true, err
		}
	}
	switch c := s.buf[s.pos]; c {
	case s.sep:
		s.pos++
		return false, nil
	case '\n':
		s.pos++
		return true, nil
	case '\r':
		s.pos++
		if s.pos == s.end {
			if _, err := s.more(); err != nil {
				return false, err
			}
		}
		if s.pos == s.end || s.buf[s.pos] != '\n' {
			return false, s.fault(ruleBareCR)
		}
		s.pos++
		return true, nil
	case 0:
		return false, s.fault(ruleNUL)
	}
	return false, s.fault(other)
}

// quotedCell cuts a quoted cell at s.pos, moving its content together where
// quotes are doubled.
func (s *scanner) quotedCell() (last bool, err error) {
	s.pos++
	start := s.pos - s.row
	out := start
	for {
		if s.pos == s.end {
			ok, err := s.more()
			if err != nil {
				return false, err
			}
			if !ok {
				return false, s.fault(ruleOpenQuote)
			}
		}
		n, found := s.scanQuoted()
		if s.row+out != s.pos {
			copy(s.buf[s.row+out:], s.buf[s.pos:s.pos+n])
		}
		out += n
		s.pos += n
		if !found {
			continue
		}
		if s.buf[s.pos] == 0 {
			return false, s.fault(ruleNUL)
		}
		s.pos++ // the quote
		doubled, err := s.at('"')
		if err != nil {
			return false, err
		}
		if !doubled {
			break
		}
		s.buf[s.row+out] = '"'
		out++
		s.pos++
	}
	if last, err = s.endOfCell(ruleAfterQuote); err != nil {
		return false, err
	}
	return last, s.keep(start, out, true)
}

// scanQuoted counts the bytes of the window up to a quote or NUL.
func (s *scanner) scanQuoted() (n int, found bool) {
	b, high := s.buf[s.pos:s.end], s.high
	for n < len(b) && b[n] != '"' && b[n] != 0 {
		high |= b[n]
		n++
	}
	s.high = high
	return n, n < len(b)
}

// at says whether the next byte is c.
func (s *scanner) at(c byte) (bool, error) {
	if s.pos == s.end {
		if ok, err := s.more(); !ok {
			return false, err
		}
	}
	return s.buf[s.pos] == c, nil
}

func (s *scanner) keep(start, end int, quoted bool) error {
	c := cell{off: start, end: end, quoted: quoted}
	if end-start > s.maxCell {
		return &fault{cell: len(s.cells), rule: ruleCellSize, limit: true}
	}
	if s.high >= utf8.RuneSelf && !utf8.Valid(s.bytes(c)) {
		return s.fault(ruleUTF8)
	}
	s.cells = append(s.cells, c)
	return nil
}

// more reads until there is a byte at s.pos; false at the end of the stream.
func (s *scanner) more() (bool, error) {
	for s.pos == s.end {
		if s.eof {
			return false, nil
		}
		if err := s.fill(); err != nil {
			return false, err
		}
	}
	return true, nil
}

// fill moves the current record to the front of the window, grows the window if
// it is full, and reads once.
func (s *scanner) fill() error {
	if err := context.Cause(s.ctx); err != nil {
		return err
	}
	if s.row > 0 {
		copy(s.buf, s.buf[s.row:s.end])
		s.pos, s.end, s.row = s.pos-s.row, s.end-s.row, 0
	}
	if s.end == len(s.buf) {
		if len(s.buf) >= s.maxRecord {
			return &fault{cell: len(s.cells), rule: ruleRecordSize, limit: true}
		}
		grown := make([]byte, min(2*len(s.buf), s.maxRecord))
		copy(grown, s.buf)
		s.buf = grown
	}
	n, err := s.src.Read(s.buf[s.end:])
	s.end += n
	if err == io.EOF {
		s.eof = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("file: read: %w", withoutPath(err))
	}
	return nil
}
