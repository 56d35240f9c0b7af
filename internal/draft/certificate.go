package draft

import (
	"regexp"
	"slices"
	"strings"

	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

// names returns the names of an ARN's certificate, in lower case and each once.
func (w *writer) names(arn string) []string {
	var out []string
	for _, n := range w.model.Certificate(arn).Names() {
		if n = strings.ToLower(strings.TrimSuffix(n, ".")); n != "" && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// selected returns the certificate that clients of host get: from the listener, or from the manifest where there is none yet.
// If none is known to cover host, it is the default, and sure is false.
func (w *writer) selected(p tlsListener, host string) (arn string, sure bool) {
	if p.attached != nil {
		if got, known := p.attached.Select(host); got != nil {
			return got.ARN, known && got.Covers(host)
		}
	}
	d := w.model.Declaration(observation.Declaration{ARNs: p.arns()})
	got, known := d.SetOn(topology.Held{Kind: p.kind}).Select(host, w.model.Now)
	if got == nil {
		return "", false
	}
	return got.ARN, known && got.Covers(host)
}

// hostForm is the pattern of a name that can be dialed.
var hostForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

func dialable(host string) bool { return len(host) <= 253 && hostForm.MatchString(host) }

// maxHosts is the maximum number of endpoints for one listener.
const maxHosts = 20

// hostsOf returns the names to probe at a listener: those in the manifest, else those of its certificates. left has the names
// that cannot be probed or are too many; guessed reports that the names come from certificates.
func (w *writer) hostsOf(p tlsListener) (hosts, left []string, guessed bool) {
	names := p.hosts
	if len(names) == 0 {
		guessed = true
		for _, arn := range p.arns() {
			names = append(names, w.names(arn)...)
		}
	}
	for _, n := range names {
		switch {
		case slices.Contains(hosts, n) || slices.Contains(left, n):
		case dialable(n) && len(hosts) < maxHosts:
			hosts = append(hosts, n)
		default:
			left = append(left, n)
		}
	}
	return hosts, left, guessed
}

// arns returns the certificates to declare, the default first: the attached ones, which clients get today, else those in the
// manifest.
func (p tlsListener) arns() []string {
	if p.attached == nil || len(p.attached.Attached) == 0 {
		return p.declared
	}
	var out []string
	for _, a := range p.attached.Attached {
		out = append(out, a.ARN)
	}
	return out
}

// disagrees reports whether the manifest and the load balancer have different certificates.
func (p tlsListener) disagrees() bool {
	return len(p.declared) > 0 && p.arns()[0] != p.declared[0]
}
