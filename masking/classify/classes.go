package classify

import "unicode/utf8"

// marks is what a Han character can be a part of: a bit each.
type marks uint16

const (
	regionMark  marks = 1 << iota // ends the name of a region
	fineMark                      // ends a part of an address finer than a region
	surnameMark                   // a surname of one character
	tailMark                      // ends words that are no names of persons
	goodMark                      // a tail that may end a name of three characters
	organMark                     // ends the name of some kind of organisation
	ailmentMark                   // ends the name of some kind of disease
)

const (
	firstHan = 0x4E00
	lastHan  = 0x9FFF
)

// classes looks marks up by character.
type classes [lastHan - firstHan + 1]marks

func newClasses() *classes {
	c := new(classes)
	c.mark(regionMarks, regionMark)
	c.mark(fineMarks, fineMark)
	c.mark(surnames, surnameMark)
	c.mark(tails, tailMark)
	c.mark(goodTails, goodMark)
	for _, end := range organs {
		r, _ := utf8.DecodeLastRuneInString(end)
		c.mark(string(r), organMark)
	}
	for _, end := range ailments {
		r, _ := utf8.DecodeLastRuneInString(end)
		c.mark(string(r), ailmentMark)
	}
	return c
}

func (c *classes) mark(list string, m marks) {
	for _, r := range list {
		if r >= firstHan && r <= lastHan {
			c[r-firstHan] |= m
		}
	}
}

func (c *classes) of(r rune) marks {
	if r < firstHan || r > lastHan {
		return 0
	}
	return c[r-firstHan]
}
