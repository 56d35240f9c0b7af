package incident

import (
	"fmt"
	"testing"

	"certdrift/internal/certtest"
	"certdrift/internal/finding"

	"pgregory.net/rapid"
)

// Whatever is wrong behind a listener at once, the remedies of one cause do not contradict each other, and the cause's stands first.
func TestNoRemediesContradictEachOther(t *testing.T) {
	attach := func(arn string) string {
		return "aws elb set-load-balancer-listener-ssl-certificate --region us-west-2 --load-balancer-name a1 --load-balancer-port 443 --ssl-certificate-id " + arn
	}
	remedies := map[finding.Code]string{
		finding.DriftAttached:         "Reattach the declared certificate (certificate/1):\n" + attach("arn:1") + "\nThen fix k8s/api.yaml:9, or the next apply will undo this.",
		finding.DriftServed:           "See where the name leads. If it is the load balancer's, attach the certificate once more:\n" + attach("arn:2"),
		finding.DriftDeclared:         "Install the declared certificate.",
		finding.DriftManifest:         "Fix k8s/api.yaml:9 before the next apply.",
		finding.ListenerNameUncovered: "Attach a certificate for api:\n" + attach("ARN"),
		finding.ListenerCertExpired:   "Renew the certificate, and attach the new one:\n" + attach("ARN"),
		finding.ListenerCertExpiring:  "Renew the certificate, and attach the new one:\n" + attach("ARN"),
		finding.ListenerCertMissing:   "Attach a certificate that exists:\n" + attach("ARN"),
		finding.ListenerPolicyOld:     "Choose a newer policy.",
		finding.ACMRenewalFailing:     "Restore the validation record.",
		finding.CertExpired:           "Renew the certificate; then import the new one under the same ARN, or attach another certificate to the listener.",
		finding.CertNameMismatch:      "Attach a certificate for api:\n" + attach("ARN"),
		finding.CertKeyWeak:           "Have a certificate issued for a new key; then import the new one under the same ARN.",
		finding.CertChainIncomplete:   "Append the certificate of the issuer to the served chain.",
		finding.HTTPStatus:            "Check target health.",
	}
	var codes []finding.Code
	for code := range remedies {
		codes = append(codes, code)
	}
	rapid.Check(t, func(t *rapid.T) {
		var fs []finding.Finding
		drawn := rapid.SliceOfNDistinct(rapid.SampledFrom(codes), 1, 8, rapid.ID).Draw(t, "codes")
		for i, code := range drawn {
			f := finding.Finding{
				Code: code, Severity: rapid.SampledFrom([]finding.Severity{finding.Warning, finding.Critical}).Draw(t, "severity"), Environment: "production",
				Endpoint: rapid.SampledFrom([]string{"api", "ui"}).Draw(t, "endpoint"), Cause: behindA1, Remedy: remedies[code], Evidence: finding.Evidence{},
			}
			if explains(code) {
				f.Severity = finding.Critical // a drift to an equivalent certificate is a warning, and explains no fault of that certificate
			}
			if code == finding.DriftManifest {
				f.Subject.Source.File = "k8s/api.yaml"
			}
			f.Summary = fmt.Sprint(i)
			fs = append(fs, f)
		}
		for _, p := range Problems(fs) {
			got := p.Remedies()
			if text := certtest.Contradiction(got); text != "" {
				t.Fatalf("%v: %s", drawn, text)
			}
			if len(got) == 0 || got[0] != p.Cause().Remedy {
				t.Fatalf("%v: the remedy of the cause, %s, is not the first: %q", drawn, p.Cause().Code, got)
			}
		}
	})
}
