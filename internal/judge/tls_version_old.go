package judge

import (
	"cmp"
	"strings"

	"certdrift/internal/clients"
	"certdrift/internal/finding"
)

func tlsVersionOld() rule {
	return rule{
		Code: finding.TLSVersionOld,
		connection: func(c *connection) []finding.Finding {
			f, version := c.fails(finding.TLSVersionOld), ""
			if c.TLS != nil && oldVersion(c.TLS.Version) {
				version = c.TLS.Version
			}
			if f == nil && version == "" {
				return nil
			}
			evidence := finding.Evidence{}
			if version != "" {
				evidence["version"], evidence["cipher"] = version, finding.Clean(c.TLS.Cipher, finding.QuoteLimit)
			}
			if f != nil && f.Detail != "" {
				evidence["detail"] = finding.Clean(f.Detail, finding.QuoteLimit)
			}
			old := c.finding(finding.TLSVersionOld, finding.Critical,
				c.name()+" supports nothing newer than "+cmp.Or(version, "TLS 1.1"), evidence,
				"Enable TLS 1.2 and 1.3 on the server"+c.orPolicy()+".")
			old.Clients = c.refuseVersion(version)
			return []finding.Finding{old}
		},
	}
}

// refuseVersion returns what clients make of an old version, and of the cipher suite that the server chose with it. A version that is not
// known may be one that no client has.
func (c *connection) refuseVersion(version string) finding.Clients {
	switch {
	case version == "":
		return clients.Of(clients.VersionUnclear)
	case strings.HasPrefix(version, "SSL"):
		return clients.Of(clients.VersionSSL)
	}
	by := clients.Of(clients.VersionOld)
	if suite := legacySuite(c.TLS.Cipher); suite != nil {
		by = clients.Merge(by, clients.Of(suite.problem))
	}
	return by
}

func oldVersion(version string) bool {
	switch version {
	case "SSLv2", "SSLv3", "SSL 3.0", "TLS 1.0", "TLS 1.1":
		return true
	}
	return false
}
