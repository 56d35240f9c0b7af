package judge

import (
	"cmp"

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
			return []finding.Finding{refused(clients.VersionOld, c.finding(finding.TLSVersionOld, finding.Critical,
				c.name()+" supports nothing newer than "+cmp.Or(version, "TLS 1.1"), evidence,
				"Enable TLS 1.2 and 1.3 on the server"+c.orPolicy()+"."))}
		},
	}
}

func oldVersion(version string) bool {
	switch version {
	case "SSLv2", "SSLv3", "SSL 3.0", "TLS 1.0", "TLS 1.1":
		return true
	}
	return false
}
