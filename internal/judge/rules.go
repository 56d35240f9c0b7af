package judge

// rules lists every rule, in the order of the catalogue.
func rules() []rule {
	return []rule{
		// Reach.
		dnsFailure(),
		connectRefused(),
		connectTimeout(),
		connectReset(),
		addressBlocked(),
		// TLS.
		tlsHandshake(),
		tlsTimeout(),
		tlsPlaintext(),
		tlsVersionOld(),
		tlsClientCertificateRequired(),
		// Certificate as served.
		certExpired(),
		certNotYetValid(),
		certExpiring(),
		certNameMismatch(),
		certUntrusted(),
		certSelfSigned(),
		certChainIncomplete(),
		certChainExpired(),
		certKeyWeak(),
		certSignatureWeak(),
		certUsage(),
		certConstraint(),
		certLifetimeLong(),
		certRevoked(),
		certStapleBad(),
		certChainOversized(),
		certMalformed(),
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
		addressInconsistent(),
		// Listener.
		listenerMissing(),
		listenerCertMissing(),
		listenerCertExpired(),
		listenerCertExpiring(),
		listenerNameUncovered(),
		listenerPolicyOld(),
		listenerPlaintext(),
		listenerUnmanaged(),
		acmRenewalFailing(),
		acmRenewalIneligible(),
		// Drift.
		driftAttached(),
		driftServed(),
		driftDeclared(),
		driftManifest(),
		// Certdrift itself.
		configInvalid(),
		observeDenied(),
		observeThrottled(),
		observeIncomplete(),
		alertPathBroken(),
	}
}
