package governance

import (
	"embed"
	"fmt"
	"slices"
)

//go:embed packs/*.yaml
var packFiles embed.FS

// Pack is a rule pack: one regulation, and which of its articles stands behind which rule.
type Pack struct {
	ID        string // jurisdiction, e.g. "jilin"
	Name      string // title of the regulation
	Version   string // e.g. "2025-draft"
	Status    string // "draft" or "in force"
	Effective Date   // zero where the text states none
	Until     Date   // zero where the text states none
	TermYears int    // cap on the term of agreements
	Articles  map[Rule]Article

	refusals map[Rule]*Refusal
}

// Article is a place in a regulation.
type Article struct {
	Number string // as the text numbers it
	Phrase string // a few words found there, in the script of the published text
}

// Jurisdictions lists the rule packs that LoadPack knows.
func Jurisdictions() []string {
	return []string{"dazhou", "huizhou", "jilin", "jinzhou", "zhejiang"}
}

// LoadPack reads the embedded rule pack of a jurisdiction.
func LoadPack(jurisdiction string) (*Pack, error) {
	if !slices.Contains(Jurisdictions(), jurisdiction) {
		return nil, fmt.Errorf("rule pack: no such jurisdiction")
	}
	text, err := packFiles.ReadFile("packs/" + jurisdiction + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("rule pack: %w", err)
	}
	return parsePack(text)
}

// noPack serves until the jurisdiction is known: every rule is the gateway's own.
func noPack() *Pack {
	p := &Pack{ID: "gateway", Version: "1"}
	p.seal()
	return p
}

func parsePack(text []byte) (*Pack, error) {
	r := &reader{pack: noPack()}
	root := r.document(text)
	if root == nil {
		return nil, r.err()
	}
	o := r.object(root, "", "pack", "name", "version", "status", "effective", "until", "term_years", "articles")
	p := &Pack{
		ID: o.id("pack"), Name: o.text("name", maxName), Version: o.text("version", maxName),
		Status: o.enum("status", "draft", "in force"), Effective: o.dateOr("effective"), Until: o.dateOr("until"),
		TermYears: int(o.integer("term_years", 1, 10)), Articles: map[Rule]Article{},
	}
	known := Rules()
	for _, m := range o.members("articles") {
		if !slices.Contains(known, Rule(m.key)) {
			r.report(m.node, m.path, Malformed)
			continue
		}
		a := r.object(m.node, m.path, "article", "phrase")
		p.Articles[Rule(m.key)] = Article{Number: a.text("article", maxName), Phrase: a.text("phrase", maxName)}
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	p.seal()
	return p, nil
}

// seal prepares one refusal for every rule.
func (p *Pack) seal() {
	p.refusals = make(map[Rule]*Refusal)
	for _, t := range ruleTexts() {
		r := &Refusal{Code: t.code, Rule: t.rule, ZH: t.zh, EN: t.en, Pack: p.Ref(), Article: GatewayRule, Requirement: t.requirement}
		if a, ok := p.Articles[t.rule]; ok {
			r.Article = a.Number
		}
		p.refusals[t.rule] = r
	}
}

// Ref names the pack with its version, e.g. "jilin@2025-draft".
func (p *Pack) Ref() string { return p.ID + "@" + p.Version }

// Refuse builds the refusal of a rule. A rule that does not exist is answered as Malformed.
func (p *Pack) Refuse(rule Rule) *Refusal {
	r, ok := p.refusals[rule]
	if !ok {
		r = p.refusals[Malformed]
	}
	out := *r
	return &out
}
