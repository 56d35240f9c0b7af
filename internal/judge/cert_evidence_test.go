package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
)

func TestRemedyKnowsACM(t *testing.T) {
	srv := newShop(t).serve(t, lasting(90*dayLong, -dayLong))
	srv.declared = "arn:aws:acm:us-west-2:111122223333:certificate/1234"
	fs := srv.expect(t, critical(finding.CertExpired))
	if !strings.Contains(fs[0].Remedy, "aws acm describe-certificate --region us-west-2 --certificate-arn "+srv.declared) {
		t.Errorf("remedy %q", fs[0].Remedy)
	}
}
