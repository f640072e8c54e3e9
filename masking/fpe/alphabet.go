package fpe

import (
	"errors"
	"unicode/utf8"
)

const (
	notSymbol = -1
	passed    = -2
)

// alphabet numbers the characters that are enciphered.
type alphabet struct {
	symbols [][]byte  // by number, as UTF-8
	byte    [256]int8 // of characters below utf8.RuneSelf
	sign    [64]byte  // the symbols that are one byte
	other   map[rune]int8
	width   int // of the widest symbol, in bytes
}

func (p Params) symbols() (string, error) {
	if p.Symbols != "" && p.Alphabet != "custom" {
		return "", errors.New("parameter symbols: only with alphabet: custom")
	}
	const digits, lower = "0123456789", "abcdefghijklmnopqrstuvwxyz"
	switch p.Alphabet {
	case "", "digits":
		return digits, nil
	case "lower":
		return lower, nil
	case "upper":
		return "ABCDEFGHIJKLMNOPQRSTUVWXYZ", nil
	case "alnum":
		return digits + lower, nil
	case "custom":
		if n := utf8.RuneCountInString(p.Symbols); n < 2 || n > 64 {
			return "", errors.New("parameter symbols: want 2 to 64 characters")
		}
		return p.Symbols, nil
	}
	return "", errors.New("parameter alphabet: want digits, lower, upper, alnum or custom")
}

func newAlphabet(symbols, pass string) (*alphabet, error) {
	a := &alphabet{other: map[rune]int8{}}
	for i := range a.byte {
		a.byte[i] = notSymbol
	}
	for _, r := range symbols {
		if !a.set(r, int8(len(a.symbols))) {
			return nil, errors.New("parameter symbols: want printable characters, each once")
		}
		a.sign[len(a.symbols)] = byte(r)
		a.symbols = append(a.symbols, utf8.AppendRune(nil, r))
		a.width = max(a.width, utf8.RuneLen(r))
	}
	for _, r := range pass {
		if !a.set(r, passed) {
			return nil, errors.New("parameter pass: want printable characters outside the alphabet, each once")
		}
	}
	return a, nil
}

// set gives a character its number; false if it has one, or is none.
func (a *alphabet) set(r rune, to int8) bool {
	if r < 0x20 || r == 0x7f || r == utf8.RuneError || a.of(r) != notSymbol {
		return false
	}
	if r < utf8.RuneSelf {
		a.byte[r] = to
	} else {
		a.other[r] = to
	}
	return true
}

// of is the number of a character, notSymbol or passed.
func (a *alphabet) of(r rune) int8 {
	if r < utf8.RuneSelf {
		return a.byte[r]
	}
	if n, ok := a.other[r]; ok {
		return n
	}
	return notSymbol
}
