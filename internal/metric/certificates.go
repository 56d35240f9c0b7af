package metric

import (
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"maps"
	"slices"
	"time"

	"certdrift/internal/observation"
)

// MaxCertificates is the maximum number of metrics for certificates; those that expire first have them.
const MaxCertificates = 1000

// named is a certificate with the name that its metric uses, so that a renewed certificate continues the same metric.
type named struct{ environment, name string }

// certificates adds the days left for each certificate: those that endpoints serve, and those in ACM and IAM that are on a
// listener or declared and that no endpoint serves. Of several with one name, the one that expires first counts.
func (b *builder) certificates() {
	ends := map[named]time.Time{}
	note := func(environment string, names []string, end time.Time) {
		key := named{environment, leading(names)}
		if old, ok := ends[key]; !end.IsZero() && (!ok || end.Before(old)) {
			ends[key] = end
		}
	}
	served := b.served(note)
	for _, c := range b.Round.Certificates {
		if c.Missing || c.Unreadable {
			continue
		}
		if len(c.Chain) == 0 {
			note("", c.Names, c.NotAfter)
		} else if leaf, err := x509.ParseCertificate(c.Chain[0]); err == nil && !served[sha256.Sum256(leaf.Raw)] {
			note("", namesOf(leaf), leaf.NotAfter)
		}
	}
	keys := slices.SortedFunc(maps.Keys(ends), func(x, y named) int {
		return cmp.Or(ends[x].Compare(ends[y]), cmp.Compare(x.environment, y.environment), cmp.Compare(x.name, y.name))
	})
	for _, k := range keys[:min(len(keys), MaxCertificates)] {
		b.add(CertificateDays, days(ends[k].Sub(b.Now)), Dimension{Environment, valueOf(k.environment)}, Dimension{Certificate, valueOf(k.name)})
	}
}

// served records the certificates that endpoints serve and returns their digests.
func (b *builder) served(note func(environment string, names []string, end time.Time)) map[[32]byte]bool {
	seen := map[[32]byte]bool{}
	for _, e := range b.Round.Endpoints {
		for _, leaf := range leaves(e) {
			seen[sha256.Sum256(leaf.Raw)] = true
			note(e.Target.Environment, namesOf(leaf), leaf.NotAfter)
		}
	}
	return seen
}

// leaves returns the certificates that an endpoint's addresses serve, each once.
func leaves(e observation.Endpoint) []*x509.Certificate {
	var out []*x509.Certificate
	known := map[string]bool{}
	for _, a := range e.Addresses {
		if a.TLS == nil || len(a.TLS.Chain) == 0 || known[string(a.TLS.Chain[0])] {
			continue
		}
		known[string(a.TLS.Chain[0])] = true
		if leaf := a.TLS.Leaf(); leaf != nil {
			out = append(out, leaf)
		}
	}
	return out
}

func namesOf(c *x509.Certificate) []string {
	return append(slices.Clone(c.DNSNames), c.Subject.CommonName)
}

// leading returns the first usable name.
func leading(names []string) string {
	for _, n := range names {
		if n != "" {
			return n
		}
	}
	return "unnamed"
}
