package incident

import (
	"strings"

	"certdrift/internal/finding"
)

// The groups of codes that make one incident of an endpoint without a known cause. They are coarser than the
// catalogue's: an outage that shows as a refused connection now and as a failed handshake then is one outage.
const (
	groupReach       = "reach"
	groupTLS         = "tls"
	groupCertificate = "certificate"
	groupHTTP        = "http"
	groupListener    = "listener"
	groupDrift       = "drift"
	groupSelf        = "certdrift"
)

func group(code finding.Code) string {
	switch code {
	case finding.DNSFailure, finding.ConnectRefused, finding.ConnectTimeout, finding.ConnectReset, finding.AddressBlocked,
		finding.TLSHandshake, finding.TLSTimeout, finding.TLSPlaintext:
		return groupReach
	case finding.TLSVersionOld, finding.TLSCipherWeak, finding.TLSClientCertificateRequired:
		return groupTLS
	case finding.AddressInconsistent:
		return groupCertificate
	}
	switch code.Class() {
	case finding.ClassCertificate:
		return groupCertificate
	case finding.ClassHTTP:
		return groupHTTP
	case finding.ClassListener:
		return groupListener
	case finding.ClassDrift:
		return groupDrift
	}
	return groupSelf
}

// certain reports whether one look is enough. What hangs on a network's mood, on a load or on a roll-out under way wants
// confirming.
func certain(code finding.Code) bool {
	switch code {
	case finding.AddressBlocked, finding.TLSPlaintext, finding.ConfigInvalid:
		return true
	case finding.AddressInconsistent:
		return false
	}
	switch group(code) {
	case groupReach, groupHTTP, groupSelf:
		return false
	}
	return true
}

// causeOf is the finding's cause; the endpoint or listener itself, and the group, where it has none. A certificate with
// other names is one cause however many hosts it disappoints: one wrong certificate on one load balancer breaks them all.
func causeOf(f finding.Finding) string {
	served := f.Subject.Certificate
	switch {
	case f.Code == finding.CertNameMismatch && served != "" && strings.HasPrefix(f.Cause, "host:"):
		return "mismatch:" + served
	case f.Cause != "":
		return f.Cause
	case f.Endpoint != "":
		return "endpoint:" + f.Endpoint + " " + group(f.Code)
	case f.Listener != "":
		return "listener:" + f.Listener + " " + group(f.Code)
	}
	return group(f.Code)
}

// keyOf names an incident: one cause in one environment. Environments are apart since different people answer for them.
func keyOf(environment, cause string) string {
	if environment == "" {
		environment = "-"
	}
	return environment + " " + cause
}
