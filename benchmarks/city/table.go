package city

import (
	"github.com/apache/arrow/go/v17/arrow"
)

// table describes one register. Its rows are those of persons 0 to n-1, gone
// through passes times: the housing register lists every first home, then every
// second, so that the rows of one owner are far apart.
type table struct {
	name   string
	tag    int
	passes int
	fields []arrow.Field
	// fill writes the row of person i in the given pass and reports whether
	// there is one.
	fill func(c *City, r *row, i, pass int) (bool, error)
	// distinct lists the columns whose values hardly repeat: no dictionary.
	distinct []string
}

func (t *table) schema() *arrow.Schema { return arrow.NewSchema(t.fields, nil) }

func tableOf(name string) *table {
	for i := range tables {
		if tables[i].name == name {
			return &tables[i]
		}
	}
	return nil
}

func text(name string) arrow.Field {
	return arrow.Field{Name: name, Type: arrow.BinaryTypes.String}
}

func flag(name string) arrow.Field {
	return arrow.Field{Name: name, Type: arrow.FixedWidthTypes.Boolean}
}

func integer(name string) arrow.Field {
	return arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64}
}

func money(name string, precision int32) arrow.Field {
	return arrow.Field{Name: name, Type: &arrow.Decimal128Type{Precision: precision, Scale: 2}}
}

func date(name string) arrow.Field {
	return arrow.Field{Name: name, Type: arrow.FixedWidthTypes.Date32}
}

func nullable(f arrow.Field) arrow.Field {
	f.Nullable = true
	return f
}

var tables = []table{
	{
		name: Household, tag: 0, passes: 1, fill: fillHousehold, distinct: []string{"rid", "phone", "household_id"},
		fields: []arrow.Field{
			text("rid"), text("name"), text("phone"), date("birth"), text("sex"),
			text("district"), text("household_id"), text("kind"), flag("objection"),
		},
	},
	{
		name: Civil, tag: 1, passes: 1, fill: fillCivil, distinct: []string{"rid"},
		fields: []arrow.Field{
			text("rid"), text("marital"), nullable(date("registered")), nullable(text("spouse_region")), flag("objection"),
		},
	},
	{
		name: Housing, tag: 2, passes: maxHomes, fill: fillHousing, distinct: []string{"rid", "home_id", "value"},
		fields: []arrow.Field{
			text("rid"), text("home_id"), money("area", 8), text("district"),
			integer("built"), flag("mortgaged"), money("value", 14),
		},
	},
	{
		name: Insurance, tag: 3, passes: 1, fill: fillInsurance, distinct: []string{"rid", "wage"},
		fields: []arrow.Field{
			text("rid"), text("employer"), integer("months"), money("wage", 10),
			text("industry"), flag("certified"), flag("debtor"),
		},
	},
}

func fillHousehold(c *City, r *row, i, _ int) (bool, error) {
	b, f := c.birthOf(i), c.familyOf(i)
	who := c.contactOf(i, &b, r.contact[:0])
	bl := c.blemishOf(r.table, i, 0)
	if err := r.rid(&b, &bl); err != nil {
		return false, err
	}
	r.respelt(&bl, who.name, (*blemish).name)
	r.respelt(&bl, who.phone, (*blemish).phone)
	r.date(b.day)
	r.text(sexOf(&b))
	r.text(f.district.code)
	r.bytes(f.appendID(r.spare[:0]))
	r.text(f.kind)
	r.flag(who.objection)
	return true, nil
}

func fillCivil(c *City, r *row, i, _ int) (bool, error) {
	b := c.birthOf(i)
	if !inCivil(&b) {
		return false, nil
	}
	bl := c.blemishOf(r.table, i, 0)
	if err := r.rid(&b, &bl); err != nil {
		return false, err
	}
	v := c.civilOf(i, &b)
	r.text(v.marital)
	if v.set {
		r.date(v.registered)
	} else {
		r.null()
	}
	if v.spouseRegion != "" {
		r.text(v.spouseRegion)
	} else {
		r.null()
	}
	r.flag(v.objection)
	return true, nil
}

func fillHousing(c *City, r *row, i, pass int) (bool, error) {
	b := c.birthOf(i)
	if c.homeCount(i, &b) <= pass {
		return false, nil
	}
	bl := c.blemishOf(r.table, i, pass)
	if err := r.rid(&b, &bl); err != nil {
		return false, err
	}
	h := c.homeOf(i, pass, &b)
	r.bytes(h.appendID(r.spare[:0]))
	r.decimal(int64(h.area))
	r.text(h.district.code)
	r.integer(int64(h.built))
	r.flag(h.mortgaged)
	r.decimal(h.value)
	return true, nil
}

func fillInsurance(c *City, r *row, i, _ int) (bool, error) {
	b := c.birthOf(i)
	p, ok := c.policyOf(i, &b)
	if !ok {
		return false, nil
	}
	bl := c.blemishOf(r.table, i, 0)
	if err := r.rid(&b, &bl); err != nil {
		return false, err
	}
	r.respelt(&bl, append(r.contact[:0], p.employer.code...), (*blemish).number)
	r.integer(int64(p.months))
	r.decimal(int64(p.wage))
	r.text(p.employer.industry.name)
	r.flag(p.certified)
	r.flag(p.debtor)
	return true, nil
}
