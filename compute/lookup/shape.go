package lookup

import "fmt"

const maxMembers = 10_000

// checkShape refuses a predicate that carries parts its kind does not read: a
// part that is written and ignored would be a template nobody approved.
func checkShape(p *Predicate) error {
	type part struct {
		name      string
		set, want bool
	}
	valued := p.Kind == Equals || p.Kind == Compare
	fielded := valued || p.Kind == Member || p.Kind == Band
	switch p.Kind {
	case Exists, Equals, Member, Band, Compare, Identity:
	default:
		return fmt.Errorf("%w: unknown kind", ErrProgram)
	}
	// The empty text is a value, so Equals and Compare may have an empty Value.
	parts := []part{
		{"field", p.Field != "", fielded},
		{"op", p.Op != "", p.Kind == Compare},
		{"value", p.Value != "", valued && p.Value != ""},
		{"values", len(p.Values) > 0, p.Kind == Member},
		{"low", p.Low != "", p.Kind == Band},
		{"high", p.High != "", p.Kind == Band},
		{"name_field", p.NameField != "", p.Kind == Identity},
		{"phone_field", p.PhoneField != "", p.Kind == Identity},
	}
	for _, q := range parts {
		if q.set && !q.want {
			return fmt.Errorf("%w: %s does not belong to kind %s", ErrProgram, q.name, p.Kind)
		}
		if !q.set && q.want {
			return fmt.Errorf("%w: %s is missing", ErrProgram, q.name)
		}
	}
	if len(p.Values) > maxMembers {
		return fmt.Errorf("%w: more than %d values", ErrProgram, maxMembers)
	}
	return nil
}
