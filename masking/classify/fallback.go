package classify

// fallback names a column that no spec fits: by its header where the values
// allow it, else by its form.
func fallback(t *tally, h *hint) Type {
	if t.kind == KindOther {
		if h.has(Biometric) {
			return Biometric
		}
		return Unknown
	}
	if t.values == 0 {
		return Empty
	}
	for _, typ := range h.types {
		if plausible(typ, t) {
			return typ
		}
	}
	return formOf(t, h)
}

// plausible holds a type that the header names against the form of the values.
func plausible(typ Type, t *tally) bool {
	yesNo := t.share(sBool) >= 0.6 && t.distinct <= 30
	han, number := t.share(sHan) >= 0.5, t.share(sNumber) >= 0.5
	switch typ {
	case Account:
		return !yesNo && (t.ratio() >= 0.2 || t.distinct >= 200)
	case Health, Special:
		return !yesNo
	case Biometric:
		return t.runes >= 16 || t.share(sBytes|sBlob) >= 0.3
	case Address:
		return han && t.runes >= 8
	case PersonName:
		return han && t.runes >= 2 && t.runes <= 5 && t.ratio() >= 0.2 && t.share(sOrg|sRegionName|sDisease) < 0.3
	case Org:
		return han && t.runes >= 3
	case RegionName:
		return han && t.runes <= 14
	case RegionCode, Ethnicity, Marital, Gender:
		return !yesNo && number && t.distinct <= 100 && t.runes <= 6
	case BirthDate, Date:
		return number && t.runes >= 4
	case FreeText:
		return t.distinct > 20 && t.ratio() > 0.1 && !number
	case Code:
		return t.distinct > 20 && t.ratio() > 0.1
	case Number:
		return number && t.share(sBytes) == 0
	case Enum:
		return t.distinct <= 200 && t.ratio() <= 0.3
	case Boolean:
		return yesNo || t.distinct <= 2 && t.values >= 5
	}
	return false
}

// formOf names the form of the values.
func formOf(t *tally, h *hint) Type {
	number := t.share(sNumber) >= 0.5
	switch {
	case t.kind == KindBinary, t.share(sBytes) >= 0.3, t.share(sBlob) >= 0.5:
		return Binary
	case t.kind == KindBool, t.share(sBool) >= 0.6 && t.distinct <= 30:
		return Boolean
	case t.share(sEmbedded) >= 0.05, t.share(sLong) >= 0.3:
		return FreeText
	case number && (t.kind == KindFloat || t.kind == KindDecimal):
		return Number
	case t.values >= 20 && t.distinct <= 60 && t.ratio() <= 0.2:
		return Enum
	case number && t.share(sCode) >= 0.5 && t.runes >= 8:
		return Code
	case number:
		return Number
	case t.share(sCode) >= 0.5:
		return Code
	case t.share(sHan) >= 0.5 && t.ratio() <= 0.3:
		return Enum
	case t.share(sHan) >= 0.5:
		return FreeText
	}
	if t.ratio() <= 0.3 {
		return Enum
	}
	return Code
}

// formConfidence is low: a form proves little.
func formConfidence(t *tally, said bool) float64 {
	if t.values == 0 {
		return 0
	}
	c := 0.5 * sure(t.values, t.values)
	if said {
		c += 0.2
	}
	return c
}
