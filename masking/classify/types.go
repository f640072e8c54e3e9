package classify

// Type is what a column holds. The text is what reports and files use.
type Type string

// Types. Those with check characters come first.
const (
	ResidentID Type = "resident_id"     // 18 or 15 characters, GB 11643
	CreditCode Type = "credit_code"     // unified social credit identifier, GB 32100
	BankCard   Type = "bank_card"       // ISO/IEC 7812
	IMEI       Type = "imei"            // 3GPP TS 23.003
	Permanent  Type = "permanent_card"  // foreign permanent resident card, both forms
	Mobile     Type = "mobile"          // mainland mobile number
	Landline   Type = "landline"        // with its area code
	Passport   Type = "passport"        // of China; foreign ones under a header
	HKMOPermit Type = "hk_macau_permit" // 港澳居民来往内地通行证
	TWPermit   Type = "taiwan_permit"   // 台湾居民来往大陆通行证
	ExitPermit Type = "exit_permit"     // 往来港澳通行证, 往来台湾通行证
	Plate      Type = "plate"           // vehicle plate, GA 36
	PersonName Type = "person_name"     //
	Address    Type = "address"         //
	Email      Type = "email"           //
	IPv4       Type = "ipv4"            //
	IPv6       Type = "ipv6"            //
	MAC        Type = "mac"             // EUI-48
	WeChat     Type = "wechat"          // needs a header, wxid_ aside
	QQ         Type = "qq"              // needs a header
	Account    Type = "account"         // a number given to a person: user, staff, pupil, insured, case
	Health     Type = "health"          // diagnoses, diseases, ICD-10 codes
	Biometric  Type = "biometric"       // templates and pictures of body parts
	Location   Type = "location"        // coordinates
	Special    Type = "special_status"  // religion, politics, sentences
	BirthDate  Type = "birth_date"      //
	Age        Type = "age"             //
	Gender     Type = "gender"          //
	Ethnicity  Type = "ethnicity"       //
	Marital    Type = "marital"         //
	Trait      Type = "trait"           // what a header names of a person: education, occupation, nationality
	RegionCode Type = "region_code"     // GB/T 2260
	RegionName Type = "region_name"     // names of provinces, cities, counties
	Money      Type = "money"           //
	Date       Type = "date"            // dates and times other than birthdays
	Org        Type = "organization"    //
	FreeText   Type = "free_text"       //
	Code       Type = "code"            // numbers of things, hashes, random keys
	Enum       Type = "enumeration"     // few values that repeat
	Boolean    Type = "boolean"         //
	Number     Type = "number"          // quantities
	Binary     Type = "binary"          // bytes that are not text
	Empty      Type = "empty"           // nothing but nulls and blanks in the sample
	Unknown    Type = "unknown"         // a column of a type that is not looked into
	noType     Type = ""                //
)

// Class of a column, as a masking policy writes it.
type Class string

// Classes.
const (
	Direct    Class = "direct_identifier"
	Quasi     Class = "quasi_identifier"
	Sensitive Class = "sensitive"
	Attribute Class = "attribute"
)

// rank orders classes by how much care they need.
func (c Class) rank() int {
	switch c {
	case Direct:
		return 3
	case Sensitive:
		return 2
	case Quasi:
		return 1
	}
	return 0
}

// Grade of GB/T 43697-2024: general data in four levels, important, core.
type Grade string

// Grades.
const (
	Grade1    Grade = "1"
	Grade2    Grade = "2"
	Grade3    Grade = "3"
	Grade4    Grade = "4"
	Important Grade = "important"
	Core      Grade = "core"
)

// rank orders grades; 0 for what is no grade.
func (g Grade) rank() int {
	switch g {
	case Grade1:
		return 1
	case Grade2:
		return 2
	case Grade3:
		return 3
	case Grade4:
		return 4
	case Important:
		return 5
	case Core:
		return 6
	}
	return 0
}

// higher is the higher of two grades.
func higher(a, b Grade) Grade {
	if b.rank() > a.rank() {
		return b
	}
	return a
}
