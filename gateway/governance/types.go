package governance

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// fieldType is a parsed column type.
type fieldType struct {
	name             string
	precision, scale int
}

var decimalForm = regexp.MustCompile(`^decimal\(([1-9][0-9]?),([0-9]{1,2})\)$`)

// parseType reads string, int64, float64, bool, date, timestamp or decimal(p,s) with 1 <= p <= 38, s <= p.
func parseType(s string) (fieldType, error) {
	switch s {
	case "string", "int64", "float64", "bool", "date", "timestamp":
		return fieldType{name: s}, nil
	}
	m := decimalForm.FindStringSubmatch(s)
	if m == nil {
		return fieldType{}, fmt.Errorf("field type: unknown")
	}
	p, _ := strconv.Atoi(m[1])
	sc, _ := strconv.Atoi(m[2])
	if p > 38 || sc > p {
		return fieldType{}, fmt.Errorf("field type: precision or scale out of range")
	}
	return fieldType{name: "decimal", precision: p, scale: sc}, nil
}

func (t fieldType) ordered() bool { return t.name != "string" && t.name != "bool" && t.name != "" }

func (t fieldType) numeric() bool {
	return t.name == "int64" || t.name == "float64" || t.name == "decimal"
}

var decimalText = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// parse reads a registered value; ordered types come with a number to compare by.
func (t fieldType) parse(s string) (*big.Rat, error) {
	bad := fmt.Errorf("value does not fit the type")
	switch t.name {
	case "string":
		return nil, nil
	case "bool":
		if s == "true" || s == "false" {
			return nil, nil
		}
		return nil, bad
	case "date", "timestamp":
		return t.parseTime(s)
	}
	if len(s) > 64 || !decimalText.MatchString(s) {
		return nil, bad
	}
	v, ok := new(big.Rat).SetString(s)
	if !ok || !t.fits(s, v) {
		return nil, bad
	}
	return v, nil
}

func (t fieldType) parseTime(s string) (*big.Rat, error) {
	layouts := []string{dateLayout}
	if t.name == "timestamp" {
		layouts = []string{time.RFC3339, "2006-01-02 15:04:05", dateLayout}
	}
	for _, layout := range layouts {
		if v, err := time.ParseInLocation(layout, s, zone()); err == nil {
			return new(big.Rat).SetInt64(v.Unix()), nil
		}
	}
	return nil, fmt.Errorf("value is not a %s", t.name)
}

// fits bounds a number: int64 range, decimal precision and scale.
func (t fieldType) fits(s string, v *big.Rat) bool {
	switch t.name {
	case "int64":
		return v.IsInt() && v.Num().IsInt64()
	case "float64":
		f, _ := v.Float64()
		return !math.IsInf(f, 0)
	}
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	return len(fraction) <= t.scale && (whole == "0" || len(whole) <= t.precision-t.scale)
}

// isShare says whether s is a decimal from 0 to 1.
func isShare(s string) bool {
	if len(s) > 16 || !decimalText.MatchString(s) {
		return false
	}
	v, ok := new(big.Rat).SetString(s)
	return ok && v.Sign() >= 0 && v.Cmp(big.NewRat(1, 1)) <= 0
}
