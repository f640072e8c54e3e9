package classify

// Proposal is a masking policy in the making, column by column.
type Proposal struct {
	Columns []Proposed
}

// Proposed is how one column would be treated. Fields mean what they mean in a
// masking policy.
type Proposed struct {
	Index      int    // in the schema
	Column     string // its name; empty when the header is data: take it from the schema, or better name the columns
	Type       Type
	Class      Class
	Grade      Grade
	Technique  string
	Params     map[string]string
	Key        string // KeyName where the technique needs a key
	Nulls      string // keep
	Malformed  string // refuse, or suppress where the sample holds values that do not fit
	Confidence float64
	Reason     string // why, in words
}

// KeyName stands for the key in a proposal. Give each recipient and scenario one
// of its own.
const KeyName = "recipient"

// Techniques proposed, as a masking policy names them.
const (
	keepIt     = "keep"
	suppressIt = "suppress"
	redactIt   = "redact"
	generalize = "generalize"
	pseudonym  = "pseudonym"
)

// Propose proposes a treatment for each column of a report: identifiers become
// pseudonyms or are covered, quasi-identifiers coarser, sensitive columns of grade
// 4 and above and whatever was not understood are left out. It is the cautious
// start of a policy; a person confirms it, and package risk measures the result.
func Propose(r *Report) *Proposal {
	p := &Proposal{}
	if r == nil {
		return p
	}
	for i := range r.Columns {
		p.Columns = append(p.Columns, propose(&r.Columns[i]))
	}
	return p
}

func propose(r *Result) Proposed {
	p := Proposed{
		Index: r.Index, Column: r.Column, Type: r.Type, Class: r.Class, Grade: r.Grade,
		Nulls: "keep", Malformed: "refuse", Confidence: r.Confidence,
	}
	switch {
	case r.Grade.rank() >= Important.rank():
		p.drop("important and core data stay inside")
	case r.Kind == KindOther, r.Kind == KindBinary:
		p.drop("masking refuses columns of this storage: leave it out of the read")
	case r.Type == Empty:
		p.drop("nothing in the sample shows what it holds")
	case len(r.Mixed) > 0:
		p.pseudonym(r, "", "several kinds of identifier in one column")
	case r.Disagrees && r.Class == Direct:
		p.drop("header and values disagree")
	case r.Class == Direct:
		p.direct(r)
	case r.Class == Quasi:
		p.quasi(r)
	case r.Class == Sensitive:
		p.sensitive(r)
	default:
		p.Technique, p.Reason = keepIt, "neither identifies nor is sensitive by itself"
	}
	if r.Evidence.Passed > 0 && r.Evidence.Passed < r.Evidence.Values && p.Technique != keepIt || p.Technique == pseudonym && p.Params["type"] != "" {
		p.Malformed = suppressIt
	}
	return p
}

func (p *Proposed) drop(why string) {
	p.Technique, p.Params, p.Reason = suppressIt, nil, why
}

// pseudonym keeps joins possible where the storage allows it.
func (p *Proposed) pseudonym(r *Result, kind, why string) {
	if r.Kind != KindText && r.Kind != KindInteger {
		p.drop(why + "; no pseudonym for this storage")
		return
	}
	p.Technique, p.Key, p.Reason = pseudonym, KeyName, why
	if kind != "" && r.Kind == KindText {
		p.Params = map[string]string{"type": kind}
	}
}

func (p *Proposed) redact(r *Result, first, last, why string) {
	if r.Kind != KindText {
		p.drop(why + "; covering needs text")
		return
	}
	p.Technique, p.Reason = redactIt, why
	p.Params = map[string]string{"keep_first": first, "keep_last": last}
}

func (p *Proposed) direct(r *Result) {
	switch r.Type {
	case ResidentID:
		p.pseudonym(r, "resident_id", "joins stay possible under one key")
	case Mobile:
		p.pseudonym(r, "mobile", "joins stay possible under one key")
	case CreditCode:
		p.pseudonym(r, "credit_code", "joins stay possible under one key")
	case BankCard:
		p.redact(r, "0", "4", "the last four, as on receipts")
	case PersonName:
		p.redact(r, "1", "0", "the surname narrows little")
	case FreeText, WeChat, QQ:
		p.drop("not needed for joins, or text with identifiers in it")
	default:
		p.pseudonym(r, "", "joins stay possible under one key")
	}
}

func (p *Proposed) quasi(r *Result) {
	p.Technique = generalize
	switch r.Type {
	case BirthDate, Date:
		p.date(r)
	case Age:
		p.Params, p.Reason = map[string]string{"to": "range", "width": "5"}, "five years"
		if r.Kind != KindInteger && r.Kind != KindFloat && r.Kind != KindDecimal {
			p.drop("ages as text cannot be put in ranges")
		}
	case RegionCode:
		p.Params, p.Reason = map[string]string{"to": "region", "digits": "4"}, "city"
		if r.Kind == KindInteger {
			p.Params = map[string]string{"to": "range", "width": "100", "as": "start"}
		}
	case Address:
		p.redact(r, "6", "0", "province and city")
	case Gender, Marital, RegionName, Enum, Boolean:
		p.Technique, p.Reason = keepIt, "few values; measure k with the others"
	case Ethnicity:
		p.drop("rare values single out")
	default:
		p.pseudonym(r, "", "different in every row: it links tables")
	}
}

// date makes dates coarser: birthdays to the year, others to the month.
func (p *Proposed) date(r *Result) {
	to := "month"
	if r.Type == BirthDate {
		to = "year"
	}
	p.Reason = to
	switch r.Kind {
	case KindDate, KindTimestamp, KindText:
		p.Params = map[string]string{"to": to}
		if r.Kind == KindText {
			p.Malformed = suppressIt
		}
	case KindInteger:
		width := "100" // of yyyymmdd
		if to == "year" {
			width = "10000"
		}
		p.Params = map[string]string{"to": "range", "width": width, "as": "start"}
	default:
		p.drop("dates in this storage cannot be made coarser")
	}
}

func (p *Proposed) sensitive(r *Result) {
	number := r.Kind == KindInteger || r.Kind == KindFloat || r.Kind == KindDecimal
	switch {
	case r.Type == Location && number && r.Kind != KindInteger:
		p.Technique, p.Reason = generalize, "about a kilometre"
		p.Params = map[string]string{"to": "round", "unit": "0.01"}
	case r.Type == Money && number && r.Grade.rank() < Grade4.rank():
		p.Technique, p.Reason = generalize, "hundreds"
		p.Params = map[string]string{"to": "round", "unit": "100"}
	default:
		p.drop("sensitive")
	}
}
