package judge

import (
	"cmp"
	"fmt"
	"strings"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
)

func certNameMismatch() rule {
	return rule{Entry: Entry{
		Code: finding.CertNameMismatch, Group: groupCertificate,
		Severity: "critical",
		Title:    "The certificate is not for the name that clients ask for",
		Meaning: "None of the certificate's subject alternative names covers the host of the URL. Clients compare these names only: the " +
			"common name counts for nothing, a wildcard stands for exactly one whole first label, an IP address needs an IP name. It is " +
			"what a listener with the wrong certificate looks like, and a server that ignores SNI.",
		Check: showLeaf + "-subject -ext subjectAltName -checkhost HOST",
		Remedy: "Attach or install the certificate that covers the name, or have one issued that does. If the server has it already, it " +
			"chose another by SNI: check the name of its virtual host or the listener's certificate list.",
		Source: "RFC 9525 §6 (before it RFC 6125 §6.4); CA/B BR §7.1.2.7.12",
	}, connection: findNameMismatch}
}

func findNameMismatch(c *connection) []finding.Finding {
	leaf := c.leaf()
	if leaf == nil || chain.Covers(leaf, c.host) {
		return nil
	}
	e := c.certEvidence(leaf)
	e["host"] = finding.Clean(c.host, finding.QuoteLimit)
	e["names_in_all"] = len(leaf.DNSNames) + len(leaf.IPAddresses)
	names := coveredNames(leaf)
	covers := "it covers " + strings.Join(names, ", ")
	if len(names) == 0 {
		covers = "it has no subject alternative name" + otherNames(leaf)
		if leaf.Subject.CommonName != "" {
			covers += ", and clients ignore its common name " + certName(leaf)
		}
	}
	if hint := cmp.Or(nameHint(leaf, c.host), c.behindHint()); hint != "" {
		e["hint"] = hint
		covers += " (" + hint + ")"
	}
	f := c.finding(finding.CertNameMismatch, finding.Critical,
		fmt.Sprintf("the certificate is not for %s: %s", finding.Clean(c.host, finding.QuoteLimit), covers), e,
		c.replace(fmt.Sprintf("Serve a certificate whose subject alternative names cover %s.", finding.Clean(c.host, finding.QuoteLimit))))
	f.Cause = "host:" + finding.Clean(chain.CanonicalHost(c.host), finding.QuoteLimit)
	return []finding.Finding{f}
}
