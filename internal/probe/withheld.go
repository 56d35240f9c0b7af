package probe

import (
	"crypto/x509"

	"certdrift/internal/probe/redact"
	"certdrift/internal/target"
)

// withheld is why no request was sent.
const withheld = "the request carries credentials, secret headers, a query or cookies, and the certificate served does not verify: the server may not be the intended recipient"

// withholds reports whether a request must not be sent over a connection: it carries secrets, and the server did not prove
// that it is the intended recipient. The handshake itself does not verify, so that a bad chain can be observed.
func (v *endpointProbe) withholds(o *origin, peers []*x509.Certificate) bool {
	secret := o.own && redact.CarriesSecrets(v.target.Request) || o.cookies != "" && o.guarded
	return secret && !v.accepted(o, peers)
}

// accepted reports whether a client would accept an origin's certificates.
func (v *endpointProbe) accepted(o *origin, peers []*x509.Certificate) bool {
	asked := v.target
	asked.Host = o.host
	return v.verified != nil && v.verified(asked, peers, v.now())
}

// verifies reports whether the cookies of an answer came over a connection whose certificates clients accept.
func (v *endpointProbe) verifies(o *origin, got *answer) bool {
	return len(got.cookies) > 0 && o.kind == target.HTTPS && v.accepted(o, got.peers)
}
