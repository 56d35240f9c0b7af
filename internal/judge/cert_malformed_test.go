package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestCertMalformed(t *testing.T) {
	failure := &observation.Failure{Phase: observation.PhaseTLS, Kind: observation.ChainMalformed, Detail: "x509: malformed \x1b tbs certificate"}
	says(t, server{failure: failure}.expect(t, critical(finding.CertMalformed)), "malformed")

	srv := newShop(t).serve(t)
	srv.chain = append(srv.chain, []byte("no certificate"))
	says(t, srv.expect(t, critical(finding.CertMalformed)), "certificate 3 of the chain")
	srv.chain = [][]byte{[]byte("no leaf"), srv.chain[1]} // what follows a broken leaf says nothing about the server
	says(t, srv.expect(t, critical(finding.CertMalformed)), "certificate 1 of the chain")
}
