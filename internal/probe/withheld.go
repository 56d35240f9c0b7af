package probe

import (
	"crypto/x509"

	"certdrift/internal/probe/redact"
)

// withheld is why no request was sent.
const withheld = "the request carries credentials, secret headers or a query, and the certificate served does not verify: the server may not be the intended recipient"

// withholds reports whether a request must not be sent over a connection: it carries secrets, and the server did not prove
// that it is the intended recipient. The handshake itself does not verify, so that a bad chain can be observed.
func (v *endpointProbe) withholds(o *origin, peers []*x509.Certificate) bool {
	if !o.own || !redact.CarriesSecrets(v.target.Request) {
		return false
	}
	return v.verified == nil || !v.verified(v.target, peers, v.now())
}
