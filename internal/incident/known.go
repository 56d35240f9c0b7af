package incident

import (
	"maps"
	"slices"

	"certdrift/internal/finding"
)

// keepKnown adds to the round's findings what a former round knew of them and this one did not read: a round of probe reads no listener for a
// manifest's finding or for a certificate that expires soon. Without it, a reminder would have fewer facts than the alert that it repeats.
func (b *tracker) keepKnown(environment string, found, former []finding.Finding) {
	keepAuthors(found, former)
	used := make([]bool, len(former))
	for i := range found {
		at := slices.IndexFunc(former, func(f finding.Finding) bool {
			return f.Code == found[i].Code && sameSubject(found[i], f) && b.unread(environment, f)
		})
		if at >= 0 && !used[at] {
			used[at] = true
			found[i] = completed(found[i], former[at])
		}
	}
}

// keepAuthors names in the round's findings who made the change behind them, where a former round knew it: a round that reads no
// listener looks up nobody.
func keepAuthors(found, former []finding.Finding) {
	for i := range found {
		by := &found[i].Attribution
		if by.Change != nil || by.Unknown != "" {
			continue
		}
		at := slices.IndexFunc(former, func(f finding.Finding) bool {
			return f.Attribution.Change != nil && f.Code == found[i].Code && f.Endpoint == found[i].Endpoint &&
				(f.Listener == found[i].Listener || found[i].Listener == "")
		})
		if at >= 0 {
			*by = former[at].Attribution
		}
	}
}

// unread reports whether this round did not read what a former finding rests on beyond its probes: the listener, the certificates, where the
// endpoint is. What probes show, they show anew in each round.
func (b *tracker) unread(environment string, f finding.Finding) bool {
	switch f.Code.Class() {
	case finding.ClassDrift, finding.ClassCertificate, finding.ClassListener:
	default:
		return false
	}
	p := partOf(f)
	p.RestsOn = slices.DeleteFunc(slices.Clone(p.RestsOn), func(fact finding.Fact) bool {
		switch fact.Kind {
		case finding.FactListener, finding.FactListeners, finding.FactPolicy, finding.FactPlacement,
			finding.FactCertificate, finding.FactCertificateBody, finding.FactCertificateRecord:
			return false
		}
		return true
	})
	return len(p.RestsOn) > 0 && !b.Coverage.observed(environment, p) || f.Listener != "" && b.Coverage.ofListener(p) == unknown
}

// sameSubject reports whether a former finding is about what the round found, as far as both know it: nothing that the round saw contradicts
// the former one.
func sameSubject(found, former finding.Finding) bool {
	a, b := found.Subject, former.Subject
	return found.Severity == former.Severity && found.Endpoint == former.Endpoint && found.Address == former.Address &&
		a.Hop == b.Hop && a.KeyType == b.KeyType && a.Other == b.Other && a.Source.File == b.Source.File && a.Source.Object == b.Source.Object &&
		agree(found.Listener, former.Listener) && agree(a.Behind, b.Behind) && agree(a.Certificate, b.Certificate) &&
		sameCertificates(found.Certificates.Declared, former.Certificates.Declared) && sameCertificates(found.Certificates.Manifest, former.Certificates.Manifest) &&
		sameCertificates(found.Certificates.Attached, former.Certificates.Attached) && sameCertificates(found.Certificates.Served, former.Certificates.Served)
}

// agree reports whether two values are equal, where both are known.
func agree(a, b string) bool { return a == "" || b == "" || a == b }

func sameCertificates(a, b []finding.Certificate) bool {
	return len(a) == 0 || len(b) == 0 || slices.EqualFunc(a, b, func(a, b finding.Certificate) bool {
		return agree(a.ARN, b.ARN) && agree(a.FingerprintSHA256, b.FingerprintSHA256) && a.None == b.None && a.Missing == b.Missing
	})
}

// completed is what the round found with what a former finding knew beyond it. A summary that tells the time is the round's own.
func completed(found, former finding.Finding) finding.Finding {
	out := found
	if found.Code.Class() == finding.ClassDrift {
		out.Summary = former.Summary
	}
	out.Subject, out.Remedy, out.RestsOn = former.Subject, former.Remedy, normalize(slices.Concat(found.RestsOn, former.RestsOn))
	if found.Listener == "" {
		out.Listener = former.Listener
	}
	if len(found.Affects) == 0 {
		out.Affects = former.Affects
	}
	out.Evidence = maps.Clone(former.Evidence)
	if out.Evidence == nil {
		out.Evidence = finding.Evidence{}
	}
	maps.Copy(out.Evidence, found.Evidence)
	keep := func(side *[]finding.Certificate, known []finding.Certificate) {
		if len(known) > 0 {
			*side = known
		}
	}
	keep(&out.Certificates.Declared, former.Certificates.Declared)
	keep(&out.Certificates.Manifest, former.Certificates.Manifest)
	keep(&out.Certificates.Attached, former.Certificates.Attached)
	keep(&out.Certificates.Served, former.Certificates.Served)
	return out
}
