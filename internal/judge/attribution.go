package judge

import (
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/topology"
)

// addChangeAuthor adds to each problem of a served certificate who imported it over the ARN that the endpoint's listener has
// attached, where that caused the problem. Where another certificate is declared, it should not be attached at all.
func addChangeAuthor(fs []finding.Finding, j *judgment) {
	for i := range fs {
		f := &fs[i]
		e := j.Endpoint(f.Environment + "/" + f.Endpoint)
		if e == nil || !ofServedCertificate(*f) || !e.ServesAttached(f.Address) {
			continue
		}
		if d := e.Drift(); d != nil && d.Relation == topology.Different && d.Declared.ARN != "" {
			continue
		}
		got, _ := e.Listener.Select(e.Target.Host)
		had := j.hadProblem(*f, got.Certificate)
		if had == nil {
			continue
		}
		f.Attribution = e.Listener.CertificateAttribution(j.Import(got.ARN, got.Certificate, had))
		if f.Attribution.Change != nil || f.Attribution.Unknown != "" {
			f.Subject.Behind = e.Listener.Label()
		}
	}
}

// hadProblem returns what reports whether the served certificate had a finding's problem by a time; nil for what an authority
// or the server causes, whatever was imported.
func (j *judgment) hadProblem(f finding.Finding, c *topology.Certificate) func(time.Time) bool {
	switch f.Code {
	case finding.CertRevoked, finding.CertStapleBad, finding.CertNotYetValid, finding.CertMalformed:
		return nil
	case finding.CertExpired, finding.CertExpiring, finding.CertChainExpired:
		return j.nearEnd(c, f.Subject.CertificateNotAfter)
	}
	return j.Recently
}

// nearEnd returns what reports whether the policy would have warned by a time of an end, for a lifetime as long as the
// certificate's.
func (j *judgment) nearEnd(c *topology.Certificate, end time.Time) func(time.Time) bool {
	return func(at time.Time) bool {
		return !end.IsZero() && j.policy.Expiry(end.Sub(at), c.Lifetime()) != finding.None
	}
}

// ofServedCertificate reports whether a finding is about the certificate that the endpoint itself serves, the first one of a pair.
func ofServedCertificate(f finding.Finding) bool {
	return f.Subject.Hop == "" && !f.Subject.Other && f.Code.Class() == finding.ClassCertificate
}
