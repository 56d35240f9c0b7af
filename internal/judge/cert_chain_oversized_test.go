package judge

import (
	"fmt"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestCertChainOversized(t *testing.T) {
	s := newShop(t)
	srv := s.serve(t)
	for i := 0; len(srv.chain) < 400; i++ {
		srv.chain = append(srv.chain, s.inter.Certificate.Raw)
	}
	size := 0
	for i, der := range srv.chain {
		if size += len(der) + 3; size > oversized {
			over, under := srv, srv
			over.chain, under.chain = srv.chain[:i+1], srv.chain[:i]
			says(t, over.expect(t, warning(finding.CertChainOversized)), fmt.Sprintf("%d KiB", size>>10))
			under.expect(t)
			break
		}
	}
	server{failure: &observation.Failure{Phase: observation.PhaseTLS, Kind: observation.ChainOversized, Detail: "handshake message of length 300000"}}.
		expect(t, critical(finding.CertChainOversized))
}
