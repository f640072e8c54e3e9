package masking

// Description says what a technique does and what it does not.
type Description struct {
	Technique    string   // as in a policy
	Title        string   // English
	TitleZH      string   // Chinese
	Class        string   // class of technique in ISO/IEC 20889
	Params       []string // names of its parameters
	Keyed        bool     // the policy names a key
	Direct       bool     // fit for direct identifiers
	Inside       bool     // refused where the table may leave the domain
	Placed       bool     // depends on a row's neighbours in the read
	Drawn        bool     // differs from run to run
	Types        string   // what it treats
	Reversible   string   // by whom the value can be had back
	NotProtected string   // what remains to be known
}

// Describe lists every technique, in the order of the table in the design.
func Describe() []Description {
	all := techniques()
	out := make([]Description, len(all))
	for i, t := range all {
		d := t.about
		d.Technique, d.Keyed, d.Direct, d.Inside, d.Placed, d.Drawn = t.name, t.keyed, t.direct, t.inside, t.placed, t.drawn
		out[i] = d
	}
	return out
}

func aboutKeep() Description {
	return Description{
		Title: "keep", TitleZH: "保留", Class: "none", Types: "every type",
		Reversible:   "nothing is changed",
		NotProtected: "the values themselves",
	}
}

func aboutSuppress() Description {
	return Description{
		Title: "suppression", TitleZH: "抑制", Class: "suppression", Params: []string{"as"}, Types: "every type; as: * text only",
		Reversible:   "no",
		NotProtected: "name and type of a column that stays; with as: *, which cells were null",
	}
}

func aboutRedact() Description {
	return Description{
		Title: "covering characters", TitleZH: "遮蔽", Class: "masking", Params: []string{"keep_first", "keep_last", "mask"}, Types: "text",
		Reversible:   "partly: the characters left narrow the candidates",
		NotProtected: "the length, the characters left, and that equal values stay equal",
	}
}

func aboutGeneralize() Description {
	return Description{
		Title: "generalisation", TitleZH: "泛化", Class: "generalization",
		Params:       []string{"to", "as", "width", "origin", "bottom", "top", "unit", "digits", "table", "separator", "level"},
		Types:        "integers, floats, decimal128; dates, timestamps; text",
		Reversible:   "no",
		NotProtected: "the group a value lies in, which may hold one person: measure k on the result",
	}
}

func aboutPseudonym() Description {
	return Description{
		Title: "pseudonym (HMAC-SM3)", TitleZH: "假名化", Class: "pseudonymization: cryptographic",
		Params: []string{"bits", "encoding", "type", "prefix"}, Types: "text, integers",
		Reversible: "by who holds the key, by enumeration: phones in an hour, resident numbers in core-hours",
		NotProtected: "that equal values stay equal under one key: frequencies, and joins by who else has the key; " +
			"keys are per recipient and scenario, and are destroyed at exit",
	}
}

func aboutFPE() Description {
	return Description{
		Title: "format-preserving encryption (FF1 with SM4, not a standardised pair)", TitleZH: "保留格式加密",
		Class: "cryptographic: format-preserving encryption",
		Params: []string{"type", "alphabet", "symbols", "tweak", "keep_first", "keep_last", "pass",
			"region", "old", "domain", "from", "to"},
		Types:        "text",
		Reversible:   "by who holds the key",
		NotProtected: "length, separators, kept characters, equality; the result is synthetic and looks real",
	}
}

func aboutEncrypt() Description {
	return Description{
		Title: "deterministic encryption (SM4)", TitleZH: "确定性加密", Class: "cryptographic: deterministic encryption",
		Params: []string{"associated", "encoding"}, Types: "text",
		Reversible:   "by who holds the key",
		NotProtected: "equality, and with it frequencies, and the length in bytes; never for a public release",
	}
}

func aboutDateShift() Description {
	return Description{
		Title: "date shift", TitleZH: "日期偏移", Class: "randomization",
		Params: []string{"subject", "kind", "range", "nonzero"}, Types: "date32, date64, timestamp, text dates",
		Reversible: "by who holds the key",
		NotProtected: "order and distance of one person's dates, time of day, the rough period; " +
			"all dates of a person once one is known",
	}
}

func aboutPerturb() Description {
	return Description{
		Title: "noise (discrete Laplace)", TitleZH: "加噪", Class: "randomization: noise addition",
		Params: []string{"epsilon", "lower", "upper", "sensitivity", "scale", "output"}, Types: "integers, floats, decimal128",
		Reversible:   "no; repeated draws average to the value, so each costs epsilon of the ledger",
		NotProtected: "several cells of one person add up; which cells are null",
	}
}

func aboutShuffle() Description {
	return Description{
		Title: "shuffle within a window", TitleZH: "置换", Class: "randomization: permutation",
		Params: []string{"window", "least"}, Types: "every type",
		Reversible:   "by who holds the key",
		NotProtected: "every value is still there, rare ones too, near its row; windows of equal values hide nothing",
	}
}

func aboutRankSwap() Description {
	return Description{
		Title: "rank swap", TitleZH: "秩交换", Class: "randomization: permutation",
		Params: []string{"percent", "window", "least"}, Types: "integers, floats, decimal128, dates, timestamps",
		Reversible:   "by who holds the key",
		NotProtected: "roughly how large a person's value is; the values themselves, extremes too",
	}
}

func aboutPRAM() Description {
	return Description{
		Title: "post-randomisation (PRAM)", TitleZH: "后随机化", Class: "randomization",
		Params: []string{"categories", "keep", "matrix", "separator"}, Types: "text, integers, booleans of few values",
		Reversible:   "by who holds the key; for groups, by who knows the matrix",
		NotProtected: "counts over many rows; a category that shows tells what it was, with at most 0.99 where all are equally frequent; several cells of one person add up",
	}
}

func aboutMicroaggregate() Description {
	return Description{
		Title: "microaggregation", TitleZH: "微聚集", Class: "microaggregation",
		Params: []string{"k", "window"}, Types: "integers, floats, decimal128, dates, timestamps",
		Reversible:   "no",
		NotProtected: "that a value lies near the mean shown; groups of equal values; columns together are not k-anonymous",
	}
}
