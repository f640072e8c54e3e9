package governance

// Roles of a party.
const (
	RoleDataAuthority    = "data_authority"
	RoleImplementingBody = "implementing_body"
	RoleExchange         = "exchange"
	RoleProvider         = "provider"
	RoleOperator         = "operator"
	RoleApplicationUnit  = "application_unit"
	RoleServiceVendor    = "data_service_vendor"
	RoleRegulator        = "regulator"
)

// Sharing of a dataset.
const (
	SharingOpen        = "open"
	SharingConditional = "conditional"
	SharingVerifyOnly  = "verify_only"
	SharingProhibited  = "prohibited"
)

// Classes of a template.
const (
	ClassOrdinary  = "ordinary"
	ClassRare      = "rare"
	ClassConsented = "consented"
)

// Kinds of a template.
const (
	KindExists   = "exists"
	KindEquals   = "equals"
	KindMember   = "member"
	KindBand     = "band"
	KindCompare  = "compare"
	KindIdentity = "identity"
)

// Ways to answer for an absent or withheld subject.
const (
	ToldMerged   = "merged"
	ToldDistinct = "distinct"
)

// Domain is the checked content of a domain file. It is not altered once made.
// Field names follow the file; a consent's subject prints as [subject].
type Domain struct {
	Format       int         `json:"yumen"`
	ID           string      `json:"domain"`
	Jurisdiction string      `json:"jurisdiction"`
	Parties      []Party     `json:"parties"`
	Datasets     []Dataset   `json:"datasets"`
	Templates    []Template  `json:"templates"`
	Tables       []Table     `json:"tables"`
	Masks        []Mask      `json:"masks"`
	KeySets      []KeySet    `json:"key_sets,omitempty"`
	Aggregates   []Aggregate `json:"aggregates,omitempty"`
	Agreements   []Agreement `json:"agreements"`
	Scenarios    []Scenario  `json:"scenarios"`
	Consents     []Consent   `json:"consents"`
	// Settings of the authority; what the file leaves out has its default.
	Settings Settings `json:"settings"`
	// Policies in Cedar that forbid more than the built-in ones.
	Policies string `json:"policies,omitempty"`

	policyLine   int
	settingLines map[string]int
	pack         *Pack
}

// Party is one who takes part. Keys are SM2 public keys, 130 lower-case hex digits (04||X||Y), or empty.
type Party struct {
	ID    string   `json:"id"`
	Name  string   `json:"name"`
	Roles []string `json:"roles"`
	Key   string   `json:"key"` // of approvals
	// AgentKey verifies what the party's agent says; what is meant for the party alone is sealed to
	// EnvelopeKey; RequestKey verifies its queries of encrypted data.
	AgentKey    string `json:"agent_key,omitempty"`
	EnvelopeKey string `json:"envelope_key,omitempty"`
	RequestKey  string `json:"request_key,omitempty"`

	line int
}

// Dataset is a register and where it is read from.
type Dataset struct {
	ID          string  `json:"id"`
	Name        string  `json:"name"`
	Provider    string  `json:"provider"`
	Source      Source  `json:"source"`
	Version     string  `json:"version"`
	AsOf        Date    `json:"as_of"`
	PrivacyUnit string  `json:"privacy_unit"` // person or enterprise
	Subject     Subject `json:"subject"`
	Roster      string  `json:"roster,omitempty"`
	Withhold    string  `json:"withhold,omitempty"`
	Sharing     string  `json:"sharing"`
	// MaxInvalid is the share of rows, 0 to 1, whose subject may be unusable; empty is none.
	MaxInvalid string `json:"max_invalid,omitempty"`
	// Budget of private tables; nil means the default (epsilon 2 at delta 1e-6), epoch 1.
	Budget *PrivacyBudget `json:"privacy_budget,omitempty"`
	Fields []Field        `json:"fields"`

	line int
}

// Source says where the bytes of a dataset are.
type Source struct {
	Kind      string `json:"kind"` // file
	Path      string `json:"path"`
	Format    string `json:"format"`              // csv or parquet
	Separator string `json:"separator,omitempty"` // csv: one character
	Header    bool   `json:"header"`              // csv: first line names the columns
}

// Subject says who a row is about: a field with the kind of its identifier, or the row number.
type Subject struct {
	Field      string `json:"field,omitempty"`
	Identifier string `json:"identifier,omitempty"`
	RowNumber  bool   `json:"row_number,omitempty"`
}

// Field is one column. An empty Class or Grade means unclassified: refused everywhere (R3).
type Field struct {
	Name  string `json:"name"`
	Type  string `json:"type"` // string|int64|float64|bool|date|timestamp|decimal(p,s)
	Class string `json:"class,omitempty"`
	Grade string `json:"grade,omitempty"` // 1..4, important, core
}

// Template is a registered verification. Which fields it has depends on Kind.
type Template struct {
	ID         string   `json:"id"`
	Dataset    string   `json:"dataset"`
	Kind       string   `json:"kind"`
	Class      string   `json:"class"`
	Field      string   `json:"field,omitempty"`
	Op         string   `json:"op,omitempty"`
	Value      string   `json:"value,omitempty"`
	Values     []string `json:"values,omitempty"`
	Low        string   `json:"low,omitempty"`  // band: low <= v
	High       string   `json:"high,omitempty"` // band: v < high
	NameField  string   `json:"name_field,omitempty"`
	PhoneField string   `json:"phone_field,omitempty"`
	NotFound   string   `json:"not_found"`
	Withheld   string   `json:"withheld"`
	Statute    string   `json:"statute,omitempty"`

	line int
}

// Table is a registered table: exact, or private where Privacy is set.
type Table struct {
	ID       string    `json:"id"`
	Dataset  string    `json:"dataset"`
	Filters  []Filter  `json:"filters,omitempty"`
	GroupBy  []string  `json:"group_by,omitempty"`
	Measures []Measure `json:"measures"`
	Privacy  *Privacy  `json:"privacy,omitempty"`

	line int
}

// Filter keeps the rows for which the field stands in relation Op to Value (or is in Values).
type Filter struct {
	Field  string   `json:"field"`
	Op     string   `json:"op"` // = != < <= > >= in
	Value  string   `json:"value,omitempty"`
	Values []string `json:"values,omitempty"`
}

// Measure is one figure of a table. All but kind and field belong to private tables.
type Measure struct {
	Kind      string   `json:"kind"` // count, sum, mean; private also variance, histogram, quantiles
	Field     string   `json:"field,omitempty"`
	Low       string   `json:"low,omitempty"` // values are brought into [low, high]
	High      string   `json:"high,omitempty"`
	Bands     []string `json:"bands,omitempty"`
	Quantiles []string `json:"quantiles,omitempty"`
	Rho       string   `json:"rho,omitempty"` // cost, zCDP
}

func (m *Measure) equal(o *Measure) bool { return m.Kind == o.Kind && m.Field == o.Field }

// Privacy says how a private table is protected (differential privacy, zCDP).
type Privacy struct {
	Mechanism  string `json:"mechanism"` // laplace or gaussian
	MaxGroups  int    `json:"max_groups"`
	MaxRecords int    `json:"max_records"`
	Rho        string `json:"rho"`   // cost of the counts that decide what is shown
	Delta      string `json:"delta"` // cost of selecting keys; 0 where all keys are public
	Tau        int    `json:"tau"`   // shown iff the noisy count reaches it; 0 is the least allowed
	Keys       []Keys `json:"keys,omitempty"`
}

// Keys is the public list of a group column's keys; a column without one is selected by threshold.
type Keys struct {
	Field  string   `json:"field"`
	Public []string `json:"public"`
}

// PrivacyBudget is what private tables of a dataset may spend together, and any one unit of it.
type PrivacyBudget struct {
	Epoch   int    `json:"epoch"` // a new one, with a new version, refills
	Rho     string `json:"rho"`
	Delta   string `json:"delta"`
	UnitRho string `json:"unit_rho"`
}

// Mask is a registered masked table.
type Mask struct {
	ID             string   `json:"id"`
	Dataset        string   `json:"dataset"`
	K              int      `json:"k"`
	MaxSuppression string   `json:"max_suppression"` // decimal share of records, 0 to 1
	Columns        []Column `json:"columns"`
	Sample         *Sample  `json:"sample,omitempty"`

	line int
}

// Column says what becomes of one column. Columns not listed do not leave.
type Column struct {
	Name      string            `json:"name"`
	Technique string            `json:"technique"`
	Params    map[string]string `json:"params,omitempty"`
	Key       string            `json:"key,omitempty"`       // names the key of a keyed technique
	Nulls     string            `json:"nulls,omitempty"`     // keep (also when empty), refuse or suppress
	Malformed string            `json:"malformed,omitempty"` // refuse (also when empty) or suppress
}

// Sample takes a share of the subjects into a masked table: the same ones in every table.
type Sample struct {
	Column string `json:"column"`
	Rate   string `json:"rate"` // decimal share of subjects, 0 to 1
}

// MaskTechniques lists what may become of a column of a masked table.
func MaskTechniques() []string {
	return []string{"keep", "suppress", "redact", "generalize", "pseudonym", "fpe", "encrypt", "date_shift",
		"perturb", "shuffle", "rank_swap", "pram", "microaggregate"}
}

// KeyedTechniques lists those that need a key.
func KeyedTechniques() []string {
	return []string{"pseudonym", "fpe", "encrypt", "date_shift", "shuffle", "rank_swap", "pram"}
}

// Agreement is a contract in force from the first to the last of its days, both included.
type Agreement struct {
	ID          string   `json:"id"`
	Kind        string   `json:"kind"` // operation or use
	Parties     []string `json:"parties"`
	From        Date     `json:"from"`
	Until       Date     `json:"until"`
	TermsDigest string   `json:"terms_digest"` // SM3, 64 hex digits

	line int
}

// Scenario is a grant: a purpose, those who may ask, and what they may ask.
type Scenario struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Purpose    string   `json:"purpose"`
	Operation  string   `json:"operation"`
	Plan       string   `json:"plan"` // SM3 of the contingency plan, or empty: then it is refused
	Providers  []string `json:"providers"`
	Authority  string   `json:"authority"`
	Units      []Unit   `json:"units"`
	Templates  []string `json:"templates"`
	Tables     []string `json:"tables"`
	Masks      []string `json:"masks"`
	Aggregates []string `json:"aggregates,omitempty"`
	Consent    string   `json:"consent"` // required or not_required
	AllowedUse string   `json:"allowed_use"`
	ResultDays int      `json:"result_days"`

	line, planLine int
}

// Unit is a party that may ask under a scenario, with its quotas.
type Unit struct {
	Party         string `json:"party"`
	Agreement     string `json:"agreement"`
	PerDay        int64  `json:"per_day"`
	PerSubjectDay int64  `json:"per_subject_day"` // cap on identity-match attempts for one subject
}

// Consent is what a data subject allowed one unit to ask.
type Consent struct {
	ID         string    `json:"id"`
	Subject    SubjectID `json:"subject"`
	Identifier string    `json:"identifier"`
	Unit       string    `json:"unit"`
	Scenario   string    `json:"scenario"`
	Templates  []string  `json:"templates"`
	Until      Date      `json:"until"`
	Letter     string    `json:"letter"` // SM3 of the authorisation letter
	Revoked    bool      `json:"revoked"`
}

// Pack is the rule pack of the domain's jurisdiction.
func (d *Domain) Pack() *Pack {
	if d == nil || d.pack == nil {
		return noPack()
	}
	return d.pack
}

// HasRole says whether the party has the role.
func (p *Party) HasRole(role string) bool {
	for _, r := range p.Roles {
		if r == role {
			return true
		}
	}
	return false
}

// Graded says whether the field has both class and grade (R3).
func (f *Field) Graded() bool { return f.Class != "" && f.Grade != "" }

// FieldNamed returns the field of that name, or nil.
func (d *Dataset) FieldNamed(name string) *Field {
	for i := range d.Fields {
		if d.Fields[i].Name == name {
			return &d.Fields[i]
		}
	}
	return nil
}
