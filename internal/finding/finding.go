// Package finding defines what certdrift concludes: findings with their stable codes and severities. Scripts depend on
// the codes and the JSON form: both are contracts.
package finding

import (
	"cmp"
	"slices"
)

// Severity is how much a finding matters. The zero value is None.
type Severity int

// The severities. Critical: clients are failing now or will within hours, or the attached certificate is not the declared
// one. Warning: it will break, or is weaker than it should be. Info: worth knowing.
const (
	None Severity = iota
	Info
	Warning
	Critical
)

// String returns the contract's word.
func (s Severity) String() string {
	switch s {
	case Info:
		return "info"
	case Warning:
		return "warning"
	case Critical:
		return "critical"
	}
	return "none"
}

// MarshalText writes the contract's word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the contract's word; any other becomes None.
func (s *Severity) UnmarshalText(b []byte) error {
	*s = ParseSeverity(string(b))
	return nil
}

// ParseSeverity returns the severity for the contract's word; None for any other.
func ParseSeverity(word string) Severity {
	for _, s := range []Severity{Info, Warning, Critical} {
		if s.String() == word {
			return s
		}
	}
	return None
}

// Finding is one conclusion. Its JSON form is a contract.
type Finding struct {
	Code        Code     `json:"code"`
	Severity    Severity `json:"severity"`
	Environment string   `json:"environment"`
	Endpoint    string   `json:"endpoint"`
	// Address is the IP:PORT; empty where the finding holds for every address.
	Address string `json:"address"`
	// Listener is LOAD-BALANCER-NAME:PORT; region, ARN and account are in Evidence.
	Listener string `json:"listener"`
	// Summary is one line for people: what is wrong, with the names and dates that matter. Remote text in it is quoted
	// and truncated (see Quote).
	Summary string `json:"summary"`
	// Subject, Certificates, Clients and Attribution are typed; in the JSON form they are part of the evidence (see AllEvidence).
	Subject      Subject      `json:"-"`
	Certificates Certificates `json:"-"`
	Clients      Clients      `json:"-"`
	Attribution  Attribution  `json:"-"`
	// Evidence holds all other facts, for people.
	Evidence Evidence `json:"evidence"`
	// RestsOn lists the observations that the finding was concluded from. Its absence in a later round means something only
	// where that round made them again.
	RestsOn []Fact `json:"rests_on,omitempty"`
	// Remedy says what to do, command included where there is one.
	Remedy string `json:"remedy"`
	// Cause groups findings that one fix resolves: "listener:NAME:PORT@REGION/ACCOUNT", "certificate:SHA256", "host:NAME",
	// "api:REGION". Incidents are kept per cause. Empty: the endpoint itself.
	Cause string `json:"cause,omitempty"`
	// Affects lists the affected endpoints (ENVIRONMENT/NAME), sorted, if there are others than Endpoint.
	Affects []string `json:"affects,omitempty"`
}

// Endpoints returns the endpoints (ENVIRONMENT/NAME) that the finding is about, sorted, each once.
func (f Finding) Endpoints() []string {
	keys := slices.Clone(f.Affects)
	if f.Endpoint != "" {
		keys = append(keys, f.Environment+"/"+f.Endpoint)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Sort sorts findings into the stable order of every output: worst first, then by environment, endpoint, listener,
// address, code and summary; diagnostics of files after the others of their severity, in the files' own order.
func Sort(fs []Finding) {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(b.Severity, a.Severity),
			byPlace(a, b),
			cmp.Compare(a.Environment, b.Environment),
			cmp.Compare(a.Endpoint, b.Endpoint),
			cmp.Compare(a.Listener, b.Listener),
			cmp.Compare(a.Address, b.Address),
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Summary, b.Summary),
		)
	})
}

// byPlace compares diagnostics of files (config-invalid with a source) in the files' own order; all others come first.
func byPlace(a, b Finding) int {
	inA, inB := ofFile(a), ofFile(b)
	switch {
	case !inA && !inB:
		return 0
	case !inA:
		return -1
	case !inB:
		return 1
	}
	return cmp.Or(
		cmp.Compare(a.Subject.Source.File, b.Subject.Source.File),
		cmp.Compare(a.Subject.Source.Line, b.Subject.Source.Line),
		cmp.Compare(a.Subject.Source.Column, b.Subject.Source.Column),
	)
}

func ofFile(f Finding) bool { return f.Code == ConfigInvalid && f.Subject.Source.File != "" }

// Worst returns the highest severity among findings; None if there are none.
func Worst(fs []Finding) Severity {
	worst := None
	for _, f := range fs {
		worst = max(worst, f.Severity)
	}
	return worst
}
