package servers

import (
	"slices"

	"certdrift/internal/catalogue"
	"certdrift/internal/finding"
)

// Absent are findings that no server of the catalogue causes, and why.
type Absent struct {
	// What describes it, if it has no code of its own.
	What  string
	Codes []finding.Code
	Why   string
	// Where are the tests that check certdrift for them instead, each as "PACKAGE TEST". Every rule has tests of its own too.
	Where []string
}

// absent has the reasons, by code or by group of the rules.
var absent = map[string]Absent{
	string(finding.AddressBlocked): {
		Why: "a name's DNS record would have to lead to a metadata service, and to answer for DNS a lab would have to change this machine's " +
			"resolver. A redirect there needs no DNS: it is `http-redirect-blocked`, below",
		Where: []string{"internal/probe TestBlocked", "internal/probe/netguard TestGuard", "internal/judge TestAddressBlocked"},
	},
	string(finding.CertLifetimeLong): {
		Why:   "it is judged under a public root only, and nobody can issue under one for a lab: certificates that public CAs issued are judged instead",
		Where: []string{"internal/judge TestCertLifetimeLong", "internal/judge TestCorpus"},
	},
	string(finding.CertRootRemoval): {
		Why:   "a public root again: Mozilla's own are judged at dates before and after its schedule",
		Where: []string{"internal/judge TestCertRootRemoval", "internal/trust TestRootCalendar"},
	},
	"listener": {
		Why:   "it is about what is attached in an AWS account, which no server shows: a simulated and an emulated account are asked instead",
		Where: []string{"internal/judge TestSavedRounds", "internal/sim/demo TestTheIncident", "e2e TestTheIncident"},
	},
	"drift": {
		Why:   "an account again; `drift-declared`, which needs none, is below",
		Where: []string{"internal/judge TestSavedRounds", "internal/sim/demo TestTheIncident", "e2e TestTheIncident"},
	},
	"certdrift itself": {
		Why:   "it is about certdrift's own configuration, permissions, time and alert path",
		Where: []string{"internal/judge TestSavedRounds", "internal/judge TestAlertPathBroken"},
	},
}

// limits have no codes of their own, and cannot be shown here either.
var limits = []Absent{{
	What:  "`cert-untrusted` for a certificate issued after the date from which Mozilla distrusts its root",
	Why:   "under a public root only, as for `cert-lifetime-long`",
	Where: []string{"internal/trust TestMozillasLimitsHold", "internal/judge TestCertUntrustedByTheRootsLimit"},
}}

// NotHere returns the findings that no case causes, in the order of the rules; one entry for each reason.
func NotHere() []Absent {
	shown := map[finding.Code]bool{}
	for _, c := range All() {
		for _, code := range c.Want {
			shown[code] = true
		}
	}
	var out []Absent
	for _, e := range catalogue.Entries() {
		if shown[e.Code] {
			continue
		}
		why, ok := absent[string(e.Code)]
		if !ok {
			why = absent[string(e.Code.Class())]
		}
		same := slices.IndexFunc(out, func(a Absent) bool { return a.Why == why.Why })
		if same < 0 {
			same = len(out)
			out = append(out, why)
		}
		out[same].Codes = append(out[same].Codes, e.Code)
	}
	return append(out, limits...)
}
