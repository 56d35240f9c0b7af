package judge

import "certdrift/internal/finding"

// rules lists every rule, in the order of the catalogue.
func rules() []rule {
	return []rule{
		// Reach.
		{Code: finding.DNSFailure, endpoint: judgeDNS},
		connectRefused(),
		connectTimeout(),
		connectReset(),
		addressBlocked(),
		// TLS.
		tlsHandshake(),
		tlsTimeout(),
		tlsPlaintext(),
		tlsVersionOld(),
		tlsCipherWeak(),
		{Code: finding.TLSClientCertificateRequired, connection: judgeClientCertificate},
		// Certificate as served.
		{Code: finding.CertExpired, connection: findExpired},
		{Code: finding.CertNotYetValid, connection: findNotYetValid},
		{Code: finding.CertExpiring, connection: findExpiring},
		{Code: finding.CertNameMismatch, connection: findNameMismatch},
		{Code: finding.CertUntrusted, connection: findUntrusted},
		{Code: finding.CertSelfSigned, connection: findSelfSigned},
		{Code: finding.CertChainIncomplete, connection: findChainIncomplete},
		{Code: finding.CertChainExpired, connection: findChainExpired},
		{Code: finding.CertKeyWeak, connection: findKeyWeak},
		{Code: finding.CertSignatureWeak, connection: findSignatureWeak},
		{Code: finding.CertUsage, connection: findUsage},
		{Code: finding.CertConstraint, connection: findConstraint},
		{Code: finding.CertLifetimeLong, connection: findLifetimeLong},
		{Code: finding.CertRevoked, connection: findRevoked, listener: findRevokedAttached},
		{Code: finding.CertStapleBad, connection: findStapleBad},
		{Code: finding.CertChainOversized, connection: findChainOversized},
		{Code: finding.CertMalformed, connection: findMalformed},
		{Code: finding.CertRootRemoval, connection: findRootRemoval},
		// HTTP.
		httpTimeout(),
		httpInvalid(),
		httpStatus(),
		httpBody(),
		httpTooLarge(),
		httpRedirectLoop(),
		httpRedirectInsecure(),
		httpRedirectBlocked(),
		httpSlow(),
		// One name, many addresses.
		{Code: finding.AddressInconsistent, endpoint: judgeConsistency},
		// Listener.
		{Code: finding.ListenerMissing, round: judgeMissing},
		listenerCertMissing(),
		listenerCertExpired(),
		listenerCertExpiring(),
		{Code: finding.ListenerNameUncovered, listener: judgeUncovered},
		listenerPolicyOld(),
		{Code: finding.ListenerPlaintext, listener: judgePlaintext},
		listenerUnmanaged(),
		acmRenewalFailing(),
		acmRenewalIneligible(),
		// Drift.
		{Code: finding.DriftAttached, listener: judgeAttached},
		{Code: finding.DriftServed, endpoint: judgeServed},
		{Code: finding.DriftDeclared, endpoint: judgeDeclared},
		driftManifest(),
		// Certdrift itself.
		configInvalid(),
		observeDenied(),
		observeThrottled(),
		observeIncomplete(),
		alertPathBroken(),
	}
}
