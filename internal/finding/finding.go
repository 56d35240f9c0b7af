// Package finding holds what certdrift concludes: findings with their stable codes, and how severe they are. Others
// script against the codes and the JSON form: both are contracts.
package finding

import (
	"cmp"
	"slices"
)

// Severity is how much a finding matters. The zero value is None.
type Severity int

// The severities. Critical: a client is refused now, or will be within hours, or what is attached is not what was
// declared. Warning: it will break, or is weaker than it should be. Info: worth knowing.
const (
	None Severity = iota
	Info
	Warning
	Critical
)

// String gives the contract's word.
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

// UnmarshalText reads the contract's word; what it does not know becomes None.
func (s *Severity) UnmarshalText(b []byte) error {
	*s = ParseSeverity(string(b))
	return nil
}

// ParseSeverity reads the contract's word; None for any other.
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
	// Address is the IP:PORT concerned; empty where the finding holds for every address.
	Address string `json:"address"`
	// Listener is LOAD-BALANCER-NAME:PORT; region, ARN and account stand in Evidence.
	Listener string `json:"listener"`
	// Summary is one line for people: what is wrong, with the names and dates that matter. Remote text in it is quoted
	// and cut (see Quote).
	Summary  string   `json:"summary"`
	Evidence Evidence `json:"evidence"`
	// Remedy says what to do, command included where there is one.
	Remedy string `json:"remedy"`
	// Cause groups findings that one repair ends: "listener:NAME:PORT@REGION/ACCOUNT", "certificate:SHA256", "host:NAME",
	// "api:REGION". Incidents are kept per cause. Empty: the endpoint itself.
	Cause string `json:"cause,omitempty"`
	// Affects lists the endpoints (ENVIRONMENT/NAME) that suffer, where they are more than Endpoint, sorted.
	Affects []string `json:"affects,omitempty"`
}

// Evidence holds the facts behind a finding by name. Values are strings, numbers, booleans, times, or slices and maps
// of these; encoding/json writes the names sorted.
type Evidence map[string]any

// Sort puts findings into the stable order of every output: worst first, then by environment, endpoint, listener,
// address, code and summary; faults of files after the others of their severity, in the files' own order.
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

// byPlace compares faults of files (config-invalid with file, line and column in its evidence); a number of a line comes
// back from JSON as a float64.
func byPlace(a, b Finding) int {
	fileA, inA := fileOf(a)
	fileB, inB := fileOf(b)
	switch {
	case !inA && !inB:
		return 0
	case !inA:
		return -1
	case !inB:
		return 1
	}
	return cmp.Or(
		cmp.Compare(fileA, fileB),
		cmp.Compare(number(a.Evidence["line"]), number(b.Evidence["line"])),
		cmp.Compare(number(a.Evidence["column"]), number(b.Evidence["column"])),
	)
}

func fileOf(f Finding) (name string, ok bool) {
	if f.Code != ConfigInvalid {
		return "", false
	}
	name, ok = f.Evidence["file"].(string)
	return name, ok
}

func number(v any) float64 {
	switch v := v.(type) {
	case int:
		return float64(v)
	case float64:
		return v
	}
	return 0
}

// Worst is the highest severity among findings; None of none.
func Worst(fs []Finding) Severity {
	worst := None
	for _, f := range fs {
		worst = max(worst, f.Severity)
	}
	return worst
}
