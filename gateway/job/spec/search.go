package spec

// MaxSearch bounds the entries of one page.
const MaxSearch = 500

// Search asks what the log says. Empty fields do not restrict.
type Search struct {
	Caller string // authenticated
	// Party, Scenario, Dataset and Kind of the entries wanted.
	Party, Scenario, Dataset, Kind string
	FromMS, ToMS                   int64 // Unix milliseconds, ToMS not included
	// Limit of entries in the page; 0 means 100.
	Limit int
	// Before continues an earlier page: only entries below this index; 0 begins at the newest.
	Before uint64
}

// SearchPage is what was found, newest first. Before continues; 0 says that there is nothing older.
type SearchPage struct {
	Entries []LogEntry
	Before  uint64
	// Scanned is how many entries were looked at for this page.
	Scanned uint64
}

// LogEntry is what a supervisor sees of an entry: who, under what, by which rule. Never a subject and
// never a result.
type LogEntry struct {
	Index  uint64
	TimeMS int64
	Kind   string
	// Party that asked or changed something; "" where the entry has none.
	Party, Scenario, Dataset, Query string
	// Rule by which it was refused or alarmed; Serial of what was released.
	Rule, Serial string
	PolicyHash   string
	// Report on a registration or an attack, with the signature of the gateway's checkpoint key over it; for
	// the data authority and the provider of the dataset alone.
	Report, ReportSignature []byte
}
