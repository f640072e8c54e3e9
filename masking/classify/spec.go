package classify

// signs is what one value passed: a bit each.
type signs uint64

const (
	sBlank signs = 1 << iota // empty, or a word that stands for nothing
	sResident
	sChild // a resident number of somebody under 18
	sCredit
	sCard
	sIMEI
	sPermanent
	sMobile
	sLandline
	sPassport
	sForeignPassport
	sHKMO
	sTW
	sExit
	sPlate
	sName
	sLatinName
	sAddress
	sWeakAddress
	sEmail
	sIPv4
	sSmallIP // all four numbers small, as in versions
	sIPv6
	sMAC
	sBareMAC
	sWxid
	sWeChat
	sQQ
	sICD
	sBareICD
	sDisease
	sPair // a pair of coordinates
	sLatitude
	sLongitude
	sDate
	sDigitDate // yyyymmdd
	sAge
	sChildAge
	sGender
	sGenderCode
	sEthnic
	sMarital
	sRegionCode
	sRegionName
	sMoney
	sNumber
	sOrg
	sLong     // longer than a label
	sEmbedded // a phone, resident number or mail address within text
	sBlob     // long base64 or hexadecimal
	sCode     // letters and digits, no words
	sBool
	sHan
	sBytes // not text
	sNull
)

// spec says when a column is of a type.
type spec struct {
	typ    Type
	passes signs
	class  Class
	grade  Grade
	// need and hinted are the shares of values that must pass, without and with
	// a header that says so. 0: never without; above 1: never at all.
	need, hinted float64
	strict       bool // a check character, or as good, proves the type
	least        int  // values needed without a header
	// bare is a further condition without a header.
	bare func(*tally) bool
}

// specs are in the order of preference: of two types that a column may have, the
// earlier one wins unless only the later one's name is in the header.
func specs() []spec {
	return []spec{
		{typ: ResidentID, passes: sResident, class: Direct, grade: Grade3, need: 0.12, hinted: 0.1, strict: true, least: 1},
		{typ: CreditCode, passes: sCredit, class: Direct, grade: Grade2, need: 0.12, hinted: 0.1, strict: true, least: 1},
		{typ: Permanent, passes: sPermanent, class: Direct, grade: Grade3, need: 0.12, hinted: 0.1, strict: true, least: 1},
		{typ: BankCard, passes: sCard, class: Direct, grade: Grade4, need: 0.5, hinted: 0.35, strict: true, least: 5},
		{typ: IMEI, passes: sIMEI, class: Direct, grade: Grade3, need: 0.5, hinted: 0.35, strict: true, least: 5},
		{typ: Email, passes: sEmail, class: Direct, grade: Grade3, need: 0.4, hinted: 0.3, least: 1},
		{typ: MAC, passes: sMAC, class: Direct, grade: Grade3, need: 0.5, hinted: 0.3, least: 2},
		{typ: MAC, passes: sMAC | sBareMAC, class: Direct, grade: Grade3, hinted: 0.5},
		{typ: IPv4, passes: sIPv4, class: Direct, grade: Grade2, need: 0.5, hinted: 0.3, least: 3, bare: spread},
		{typ: IPv4, passes: sIPv4 | sSmallIP, class: Direct, grade: Grade2, hinted: 0.4},
		{typ: IPv6, passes: sIPv6, class: Direct, grade: Grade2, need: 0.5, hinted: 0.3, least: 2},
		{typ: Plate, passes: sPlate, class: Direct, grade: Grade3, need: 0.5, hinted: 0.35, least: 2},
		{typ: Mobile, passes: sMobile, class: Direct, grade: Grade3, need: 0.5, hinted: 0.35, least: 3},
		{typ: Landline, passes: sLandline, class: Direct, grade: Grade2, need: 0.5, hinted: 0.35, least: 3},
		{typ: HKMOPermit, passes: sHKMO, class: Direct, grade: Grade3, need: 0.55, hinted: 0.35, least: 8, bare: spread},
		{typ: Passport, passes: sPassport, class: Direct, grade: Grade3, need: 0.55, hinted: 0.35, least: 8, bare: spread},
		{typ: ExitPermit, passes: sExit, class: Direct, grade: Grade3, hinted: 0.4},
		{typ: TWPermit, passes: sTW, class: Direct, grade: Grade3, hinted: 0.45},
		{typ: Passport, passes: sPassport | sForeignPassport, class: Direct, grade: Grade3, hinted: 0.5},
		{typ: WeChat, passes: sWxid, class: Direct, grade: Grade3, need: 0.4, hinted: 0.3, least: 3},
		{typ: WeChat, passes: sWxid | sWeChat | sMobile, class: Direct, grade: Grade3, hinted: 0.5},
		{typ: QQ, passes: sQQ, class: Direct, grade: Grade3, hinted: 0.5},
		{typ: Location, passes: sPair, class: Sensitive, grade: Grade4, need: 0.5, hinted: 0.3, least: 3},
		{typ: Location, passes: sLatitude | sLongitude, class: Sensitive, grade: Grade4, hinted: 0.5},
		{typ: BirthDate, passes: sDate | sDigitDate, class: Quasi, grade: Grade2, hinted: 0.4},
		{typ: Address, passes: sAddress, class: Quasi, grade: Grade3, need: 0.5, hinted: 0.3, least: 3, bare: different},
		{typ: Address, passes: sAddress | sWeakAddress, class: Quasi, grade: Grade3, hinted: 0.5},
		{typ: Health, passes: sICD | sDisease, class: Sensitive, grade: Grade4, need: 0.5, hinted: 0.25, least: 5},
		{typ: Health, passes: sICD | sBareICD | sDisease, class: Sensitive, grade: Grade4, hinted: 0.4},
		{typ: Gender, passes: sGender, class: Quasi, grade: Grade2, need: 0.5, hinted: 0.3, least: 3, bare: few},
		{typ: Gender, passes: sGender | sGenderCode, class: Quasi, grade: Grade2, hinted: 0.5},
		{typ: Ethnicity, passes: sEthnic, class: Quasi, grade: Grade3, need: 0.5, hinted: 0.3, least: 3},
		{typ: Marital, passes: sMarital, class: Quasi, grade: Grade2, need: 0.5, hinted: 0.3, least: 3, bare: few},
		{typ: Age, passes: sAge, class: Quasi, grade: Grade2, hinted: 0.5},
		{typ: Date, passes: sDate, class: Quasi, grade: Grade2, need: 0.5, hinted: 0.3, least: 2},
		{typ: Date, passes: sDigitDate, class: Quasi, grade: Grade2, need: 0.55, hinted: 0.4, least: 5},
		{typ: RegionCode, passes: sRegionCode, class: Quasi, grade: Grade2, need: 0.6, hinted: 0.4, least: 5, bare: repeats},
		{typ: Money, passes: sMoney, class: Sensitive, grade: Grade3, need: 0.5, hinted: 0.3, least: 3},
		{typ: Money, passes: sMoney | sNumber, class: Sensitive, grade: Grade3, hinted: 0.5},
		{typ: Org, passes: sOrg, class: Attribute, grade: Grade2, need: 0.5, hinted: 0.3, least: 3},
		{typ: PersonName, passes: sName, class: Direct, grade: Grade3, need: 0.55, hinted: 0.35, least: 12, bare: personal},
		{typ: PersonName, passes: sName | sLatinName, class: Direct, grade: Grade3, hinted: 0.5},
		{typ: RegionName, passes: sRegionName, class: Quasi, grade: Grade2, need: 0.5, hinted: 0.35, least: 3},
	}
}

// The classes and grades of types that follow from the header or from what a
// column is not.
func defaults(t Type) (Class, Grade) {
	switch t {
	case Account:
		return Direct, Grade3
	case Trait:
		return Quasi, Grade2
	case Biometric, Health, Location, Special:
		return Sensitive, Grade4
	case FreeText, Binary, Unknown:
		return Sensitive, Grade3
	case Money:
		return Sensitive, Grade3
	case Enum, Boolean, Number, Code, Empty:
		return Attribute, Grade1
	}
	for _, s := range specs() {
		if s.typ == t {
			return s.class, s.grade
		}
	}
	return Attribute, Grade1
}
