package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

func TestCertSelfSigned(t *testing.T) {
	self := must(t)(pki.SelfSigned(certNow, []string{certHost}))
	srv := server{chain: self.Served(), roots: []*pki.Pair{newShop(t).root}}
	says(t, srv.expect(t, critical(finding.CertSelfSigned)), `"api.example.org" is self-signed`)

	srv.cas = []*pki.Pair{self} // named in ca_files: trusted as it stands
	srv.expect(t)

	again := must(t)(pki.SelfSigned(certNow, []string{certHost})) // the same name, another key
	srv.chain = again.Served()
	srv.expect(t, critical(finding.CertSelfSigned))

	all := must(t)(pki.SelfSigned(certNow, []string{"other.example.org"}, lasting(90*dayLong, -dayLong)))
	server{chain: all.Served()}.expect(t, critical(finding.CertSelfSigned), critical(finding.CertExpired), critical(finding.CertNameMismatch))
}

func TestCertSelfIssuedIsNotSelfSigned(t *testing.T) {
	// A leaf that bears its CA's name, as hasty scripts make it.
	ca := must(t)(pki.Root("localhost", certNow))
	leaf := must(t)(ca.Leaf(certNow, []string{certHost}, subjectOfPair(ca)))
	server{chain: leaf.Served(), roots: []*pki.Pair{newShop(t).root}}.expect(t, critical(finding.CertChainIncomplete))
	server{chain: leaf.Served(), roots: []*pki.Pair{ca}}.expect(t, warning(finding.CertMalformed)) // without an authority key identifier
}
