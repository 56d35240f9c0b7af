package alert

import "certdrift/internal/finding"

// phrase says in a few plain words what a code means, for where a whole summary has no room. An unknown code speaks for
// itself.
func phrase(code finding.Code) string {
	if p, ok := phrases()[code]; ok {
		return p
	}
	return finding.Clean(string(code), 40)
}

func phrases() map[finding.Code]string {
	return map[finding.Code]string{
		trialCode: "only a trial",

		finding.DNSFailure:     "name does not resolve",
		finding.ConnectRefused: "connection refused",
		finding.ConnectTimeout: "connection times out",
		finding.ConnectReset:   "connection reset",
		finding.AddressBlocked: "address not allowed",

		finding.TLSHandshake:                 "TLS handshake fails",
		finding.TLSTimeout:                   "TLS handshake times out",
		finding.TLSPlaintext:                 "speaks plain HTTP on the TLS port",
		finding.TLSVersionOld:                "only old TLS versions",
		finding.TLSClientCertificateRequired: "wants a client certificate",

		finding.CertExpired:         "certificate expired",
		finding.CertNotYetValid:     "certificate not yet valid",
		finding.CertExpiring:        "certificate expiring",
		finding.CertNameMismatch:    "certificate for another name",
		finding.CertUntrusted:       "certificate not trusted",
		finding.CertSelfSigned:      "self-signed certificate",
		finding.CertChainIncomplete: "certificate chain incomplete",
		finding.CertChainExpired:    "certificate of the chain expired",
		finding.CertKeyWeak:         "weak certificate key",
		finding.CertSignatureWeak:   "weak certificate signature",
		finding.CertUsage:           "certificate not for servers",
		finding.CertConstraint:      "certificate breaks its issuer's limits",
		finding.CertLifetimeLong:    "certificate valid for too long",
		finding.CertRevoked:         "certificate revoked",
		finding.CertStapleBad:       "bad OCSP staple",
		finding.CertChainOversized:  "certificate chain too large",
		finding.CertMalformed:       "certificate malformed",

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
		finding.ListenerPlaintext:     "port 80 does not redirect",
		finding.ListenerUnmanaged:     "listener that nothing declares",
		finding.ACMRenewalFailing:     "ACM renewal failing",
		finding.ACMRenewalIneligible:  "ACM will not renew",

		finding.DriftAttached: "wrong certificate attached",
		finding.DriftServed:   "served is not the attached certificate",
		finding.DriftDeclared: "served is not the declared certificate",
		finding.DriftManifest: "next deploy changes the certificate",

		finding.ConfigInvalid:     "configuration invalid",
		finding.ObserveDenied:     "certdrift may not look",
		finding.ObserveThrottled:  "certdrift is throttled",
		finding.ObserveIncomplete: "certdrift could not look everywhere",
		finding.AlertPathBroken:   "alerts do not arrive",
	}
}
