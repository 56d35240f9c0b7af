package round

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// TestReadsListenersForAMissingClientCertificate: the alert of a round that only dials names the listener whose mutual TLS
// rejects the endpoint's clients. Rejections of other kinds have no cause at a load balancer.
func TestReadsListenersForAMissingClientCertificate(t *testing.T) {
	f := newFixture(t)
	f.request.Depth = ListenersOnProblem
	f.request.Config.Endpoints[0].LoadBalancer = &target.LoadBalancerRef{Name: "web", Port: 443}
	f.account.attached.LoadBalancers = []observation.LoadBalancer{{Kind: observation.Application, Name: "web", Region: "us-west-2", Listeners: []observation.Listener{
		{ARN: "arn:aws:elasticloadbalancing:us-west-2:111122223333:listener/app/web/50dc/0467", Port: 443, Protocol: "HTTPS", MutualTLS: "verify"},
	}}}
	for alert, want := range map[string]int{"certificate_required": 1, "internal_error": 0} {
		refused := f.fit
		refused.Addresses = []observation.Address{f.fit.Addresses[0]}
		refused.Addresses[0].HTTP, refused.Addresses[0].Failure = nil, &observation.Failure{Phase: observation.PhaseTLS, Kind: observation.Alert, Alert: alert}
		f.probes["production/api"], f.account.asked = refused, 0
		res := f.run(t)
		if f.account.asked != want {
			t.Errorf("%s: AWS was asked %d times, want %d", alert, f.account.asked, want)
		}
		for _, found := range res.Conclusion.Findings {
			if found.Code == finding.TLSClientCertificateRequired && found.Evidence["mutual_tls"] != "verify" {
				t.Errorf("evidence %v", found.Evidence)
			}
		}
	}
}
