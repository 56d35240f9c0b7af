package finding

// Code identifies a kind of problem. Codes never change; each has one rule.
type Code string

// The codes, grouped as in the catalogue (docs/findings.md).
const (
	// Reach.
	DNSFailure     Code = "dns-failure"
	ConnectRefused Code = "connect-refused"
	ConnectTimeout Code = "connect-timeout"
	ConnectReset   Code = "connect-reset"
	AddressBlocked Code = "address-blocked"

	// TLS.
	TLSHandshake                 Code = "tls-handshake"
	TLSTimeout                   Code = "tls-timeout"
	TLSPlaintext                 Code = "tls-plaintext"
	TLSVersionOld                Code = "tls-version-old"
	TLSCipherWeak                Code = "tls-cipher-weak"
	TLSClientCertificateRequired Code = "tls-client-certificate-required"

	// Certificate as served.
	CertExpired         Code = "cert-expired"
	CertNotYetValid     Code = "cert-not-yet-valid"
	CertExpiring        Code = "cert-expiring"
	CertNameMismatch    Code = "cert-name-mismatch"
	CertUntrusted       Code = "cert-untrusted"
	CertSelfSigned      Code = "cert-self-signed"
	CertChainIncomplete Code = "cert-chain-incomplete"
	CertChainExpired    Code = "cert-chain-expired"
	CertKeyWeak         Code = "cert-key-weak"
	CertSignatureWeak   Code = "cert-signature-weak"
	CertUsage           Code = "cert-usage"
	CertConstraint      Code = "cert-constraint"
	CertLifetimeLong    Code = "cert-lifetime-long"
	CertRevoked         Code = "cert-revoked"
	CertStapleBad       Code = "cert-staple-bad"
	CertChainOversized  Code = "cert-chain-oversized"
	CertMalformed       Code = "cert-malformed"
	CertRootRemoval     Code = "cert-root-removal"

	// HTTP.
	HTTPTimeout          Code = "http-timeout"
	HTTPInvalid          Code = "http-invalid"
	HTTPStatus           Code = "http-status"
	HTTPBody             Code = "http-body"
	HTTPTooLarge         Code = "http-too-large"
	HTTPRedirectLoop     Code = "http-redirect-loop"
	HTTPRedirectInsecure Code = "http-redirect-insecure"
	HTTPRedirectBlocked  Code = "http-redirect-blocked"
	HTTPSlow             Code = "http-slow"

	// One name, many addresses.
	AddressInconsistent Code = "address-inconsistent"

	// Listener.
	ListenerMissing       Code = "listener-missing"
	ListenerCertMissing   Code = "listener-cert-missing"
	ListenerCertExpired   Code = "listener-cert-expired"
	ListenerCertExpiring  Code = "listener-cert-expiring"
	ListenerNameUncovered Code = "listener-name-uncovered"
	ListenerPolicyOld     Code = "listener-policy-old"
	ListenerPlaintext     Code = "listener-plaintext"
	ListenerUnmanaged     Code = "listener-unmanaged"
	ACMRenewalFailing     Code = "acm-renewal-failing"
	ACMRenewalIneligible  Code = "acm-renewal-ineligible"

	// Drift.
	DriftAttached Code = "drift-attached"
	DriftServed   Code = "drift-served"
	DriftDeclared Code = "drift-declared"
	DriftManifest Code = "drift-manifest"

	// certdrift itself.
	ConfigInvalid     Code = "config-invalid"
	ObserveDenied     Code = "observe-denied"
	ObserveThrottled  Code = "observe-throttled"
	ObserveIncomplete Code = "observe-incomplete"
	AlertPathBroken   Code = "alert-path-broken"
)
