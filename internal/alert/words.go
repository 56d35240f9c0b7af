package alert

import "certdrift/internal/finding"

// phrase returns what a code means in a few plain words, where a whole summary does not fit; the code itself where it is
// unknown.
func phrase(code finding.Code) string {
	if p, ok := phrases()[code]; ok {
		return p
	}
	return finding.Clean(string(code), 40)
}

func phrases() map[finding.Code]string {
	return map[finding.Code]string{
		testCode: "test alert, no action needed",

		finding.DNSFailure:     "name does not resolve",
		finding.ConnectRefused: "connection refused",
		finding.ConnectTimeout: "connection times out",
		finding.ConnectReset:   "connection reset",
		finding.AddressBlocked: "address not allowed",

		finding.TLSHandshake:                 "TLS handshake fails",
		finding.TLSTimeout:                   "TLS handshake times out",
		finding.TLSPlaintext:                 "speaks plain HTTP on the TLS port",
		finding.TLSVersionOld:                "only old TLS versions",
		finding.TLSCipherWeak:                "only legacy cipher suites",
		finding.TLSClientCertificateRequired: "requires a client certificate",

		finding.CertExpired:         "certificate expired",
		finding.CertNotYetValid:     "certificate not yet valid",
		finding.CertExpiring:        "certificate expiring",
		finding.CertNameMismatch:    "certificate doesn't match hostname",
		finding.CertUntrusted:       "certificate not trusted",
		finding.CertSelfSigned:      "self-signed certificate",
		finding.CertChainIncomplete: "certificate chain incomplete",
		finding.CertChainExpired:    "certificate in the chain expired",
		finding.CertKeyWeak:         "weak certificate key",
		finding.CertSignatureWeak:   "weak certificate signature",
		finding.CertUsage:           "not a server certificate",
		finding.CertConstraint:      "certificate violates its issuer's constraints",
		finding.CertLifetimeLong:    "certificate valid for too long",
		finding.CertRevoked:         "certificate revoked",
		finding.CertStapleBad:       "bad OCSP staple",
		finding.CertChainOversized:  "certificate chain too large",
		finding.CertMalformed:       "certificate malformed",
		finding.CertRootRemoval:     "root leaving Mozilla's trust store",

		finding.HTTPTimeout:          "HTTP times out",
		finding.HTTPInvalid:          "invalid HTTP response",
		finding.HTTPStatus:           "unexpected HTTP status",
		finding.HTTPBody:             "unexpected HTTP body",
		finding.HTTPTooLarge:         "HTTP response too large",
		finding.HTTPRedirectLoop:     "redirect loop",
		finding.HTTPRedirectInsecure: "redirect to plain HTTP",
		finding.HTTPRedirectBlocked:  "redirect to an address not allowed",
		finding.HTTPSlow:             "HTTP slow",

		finding.AddressInconsistent: "addresses serve different certificates",

		finding.ListenerMissing:       "listener missing",
		finding.ListenerCertMissing:   "attached certificate deleted",
		finding.ListenerCertExpired:   "attached certificate expired",
		finding.ListenerCertExpiring:  "attached certificate expiring",
		finding.ListenerNameUncovered: "no attached certificate covers the name",
		finding.ListenerPolicyOld:     "old TLS policy on the listener",
		finding.ListenerPlaintext:     "port 80 does not redirect to HTTPS",
		finding.ListenerUnmanaged:     "undeclared listener",
		finding.ACMRenewalFailing:     "ACM renewal failing",
		finding.ACMRenewalIneligible:  "ACM will not renew",

		finding.DriftAttached: "wrong certificate attached",
		finding.DriftServed:   "serving a different certificate than the one attached",
		finding.DriftDeclared: "serving a different certificate than the one declared",
		finding.DriftManifest: "next deploy changes the certificate",

		finding.ConfigInvalid:     "configuration invalid",
		finding.ObserveDenied:     "certdrift lacks permission",
		finding.ObserveThrottled:  "certdrift is being throttled",
		finding.ObserveIncomplete: "some checks could not be run",
		finding.AlertPathBroken:   "alerts are not being delivered",
	}
}

// reason is the phrase of a code where the certificate, or what clients do, has just been named.
func reason(code finding.Code) string {
	if r, ok := reasons()[code]; ok {
		return r
	}
	return phrase(code)
}

func reasons() map[finding.Code]string {
	return map[finding.Code]string{
		finding.CertExpired:         "it has expired",
		finding.CertNotYetValid:     "it is not valid yet",
		finding.CertNameMismatch:    "it doesn't match the hostname",
		finding.CertUntrusted:       "its issuer is not trusted",
		finding.CertSelfSigned:      "it is self-signed",
		finding.CertChainIncomplete: "its chain is incomplete",
		finding.CertChainExpired:    "a certificate in its chain has expired",
		finding.CertKeyWeak:         "its key is too weak",
		finding.CertSignatureWeak:   "its signature is too weak",
		finding.CertUsage:           "it is not a server certificate",
		finding.CertConstraint:      "it violates its issuer's constraints",
		finding.CertRevoked:         "it has been revoked",
		finding.CertStapleBad:       "its OCSP staple is invalid",
		finding.CertChainOversized:  "its chain is too large",
		finding.CertMalformed:       "it is malformed",
	}
}
