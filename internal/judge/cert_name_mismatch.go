package judge

import (
	"cmp"
	"fmt"
	"strings"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
)

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
	f := c.aboutCert(finding.CertNameMismatch, finding.Critical, leaf,
		fmt.Sprintf("the certificate doesn't match %s: %s", finding.Clean(c.host, finding.QuoteLimit), covers), e,
		c.replace(fmt.Sprintf("Serve a certificate whose subject alternative names cover %s.", finding.Clean(c.host, finding.QuoteLimit))))
	f.Cause = "host:" + finding.Clean(chain.CanonicalHost(c.host), finding.QuoteLimit)
	return []finding.Finding{f}
}
