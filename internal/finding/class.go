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
