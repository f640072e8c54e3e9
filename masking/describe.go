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
	Drawn        bool     // not a function of the value alone
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
		d.Technique, d.Keyed, d.Direct, d.Inside, d.Drawn = t.name, t.keyed, t.direct, t.inside, t.drawn
		out[i] = d
	}
	return out
}

var (
	aboutKeep = Description{
		Title: "keep", TitleZH: "保留", Class: "none", Types: "every type",
		Reversible:   "nothing is changed",
		NotProtected: "the values themselves",
	}
	aboutSuppress = Description{
		Title: "suppression", TitleZH: "抑制", Class: "suppression", Params: []string{"as"}, Types: "every type; as: * text only",
		Reversible:   "no",
		NotProtected: "name and type of a column that stays; with as: *, which cells were null",
	}
	aboutRedact = Description{
		Title: "covering characters", TitleZH: "遮蔽", Class: "masking", Params: []string{"keep_first", "keep_last", "mask"}, Types: "text",
		Reversible:   "partly: the characters left narrow the candidates",
		NotProtected: "the length, the characters left, and that equal values stay equal",
	}
	aboutGeneralize = Description{
		Title: "generalisation", TitleZH: "泛化", Class: "generalization",
		Params:       []string{"to", "as", "width", "origin", "bottom", "top", "unit", "digits", "table", "separator", "level"},
		Types:        "int32, int64, float64, decimal128; date32, timestamp; text",
		Reversible:   "no",
		NotProtected: "the group a value lies in, which may hold one person: measure k on the result",
	}
)
