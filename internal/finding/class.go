package finding

// Class is a group of codes in the catalogue.
type Class string

// The classes, in the catalogue's order.
const (
	ClassReach       Class = "reach"
	ClassTLS         Class = "TLS"
	ClassCertificate Class = "certificate as served"
	ClassHTTP        Class = "HTTP"
	ClassAddresses   Class = "one name, many addresses"
	ClassListener    Class = "listener"
	ClassDrift       Class = "drift"
	ClassSelf        Class = "certdrift itself"
)

// Class returns the code's class; ClassSelf for an unknown code.
func (c Code) Class() Class {
	switch c {
	case DNSFailure, ConnectRefused, ConnectTimeout, ConnectReset, AddressBlocked:
		return ClassReach
	case TLSHandshake, TLSTimeout, TLSPlaintext, TLSVersionOld, TLSCipherWeak, TLSClientCertificateRequired:
		return ClassTLS
	case CertExpired, CertNotYetValid, CertExpiring, CertNameMismatch, CertUntrusted, CertSelfSigned, CertChainIncomplete, CertChainExpired,
		CertKeyWeak, CertSignatureWeak, CertUsage, CertConstraint, CertLifetimeLong, CertRevoked, CertStapleBad, CertChainOversized, CertMalformed, CertRootRemoval:
		return ClassCertificate
	case HTTPTimeout, HTTPInvalid, HTTPStatus, HTTPBody, HTTPTooLarge, HTTPRedirectLoop, HTTPRedirectInsecure, HTTPRedirectBlocked, HTTPSlow:
		return ClassHTTP
	case AddressInconsistent:
		return ClassAddresses
	case ListenerMissing, ListenerCertMissing, ListenerCertExpired, ListenerCertExpiring, ListenerNameUncovered, ListenerPolicyOld,
		ListenerPlaintext, ListenerUnmanaged, ACMRenewalFailing, ACMRenewalIneligible:
		return ClassListener
	case DriftAttached, DriftServed, DriftDeclared, DriftManifest:
		return ClassDrift
	}
	return ClassSelf
}

// FixedBy reports whether what fixes a finding of another code fixes one of this code too, if both have the same cause. The two
// would contradict each other if each had a remedy of its own.
func (c Code) FixedBy(cause Code) bool {
	switch cause {
	case DriftAttached, DriftServed, DriftDeclared: // another certificate takes the place of the one that is at fault
		return c != cause && (c.Class() == ClassCertificate || c == ListenerCertMissing || c == ListenerCertExpired || c == ListenerCertExpiring ||
			c == ACMRenewalFailing || c == ACMRenewalIneligible || c == DriftDeclared || c == DriftServed && cause == DriftAttached)
	case ListenerNameUncovered:
		return c == CertNameMismatch
	case ListenerCertExpired, ListenerCertMissing:
		return c == CertExpired
	case ListenerCertExpiring:
		return c == CertExpiring
	case ACMRenewalFailing:
		return c == CertExpiring || c == ListenerCertExpiring
	}
	return false
}

// DeclarationOutdated reports whether a drift is to be ended by changing what is declared: the attached certificate is right and stays.
func (f Finding) DeclarationOutdated() bool {
	stale, _ := f.Evidence["stale"].(string)
	return f.Code == DriftAttached && stale == "declared"
}
