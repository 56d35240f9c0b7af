package draft

import (
	"crypto/x509"
	"regexp"
	"slices"
	"strings"

	"certdrift/internal/observation"
)

// certificates has the certificates that AWS returned, by ARN.
type certificates map[string]observation.Certificate

func known(list []observation.Certificate) certificates {
	out := certificates{}
	for _, c := range list {
		out[c.ARN] = c
	}
	return out
}

// names returns the names of a certificate.
func (c certificates) names(arn string) []string {
	cert := c[arn]
	names := cert.Names
	if len(cert.Chain) > 0 {
		if leaf, err := x509.ParseCertificate(cert.Chain[0]); err == nil {
			names = leaf.DNSNames
		}
	}
	var out []string
	for _, n := range names {
		if n = strings.ToLower(strings.TrimSuffix(n, ".")); n != "" && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// covering returns the first of the ARNs whose certificate covers the host, SNI certificates before the default. If none is
// known to cover it, it returns the default and sure is false.
func (c certificates) covering(arns []string, host string) (arn string, sure bool) {
	if len(arns) == 0 {
		return "", false
	}
	for _, arn := range append(slices.Clone(arns[1:]), arns[0]) {
		if slices.ContainsFunc(c.names(arn), func(name string) bool { return matches(name, host) }) {
			return arn, true
		}
	}
	return arns[0], false
}

// matches reports whether a certificate's name matches a host: "*" matches exactly the first label.
func matches(name, host string) bool {
	if parent, ok := strings.CutPrefix(name, "*."); ok {
		_, rest, found := strings.Cut(host, ".")
		return found && rest == parent
	}
	return name == host
}

// hostForm is the pattern of a name that can be dialed.
var hostForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

func dialable(host string) bool { return len(host) <= 253 && hostForm.MatchString(host) }

// maxHosts is the maximum number of endpoints for one listener.
const maxHosts = 20

// hostsOf returns the names to probe at a listener: those in the manifest, else those of its certificates. left has the names
// that cannot be probed or are too many; guessed reports that the names come from certificates.
func (c certificates) hostsOf(p tlsListener) (hosts, left []string, guessed bool) {
	names := p.hosts
	if len(names) == 0 {
		guessed = true
		for _, arn := range p.arns() {
			names = append(names, c.names(arn)...)
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

// arns returns the certificates to declare: the attached ones, which clients get today, else those in the manifest.
func (p tlsListener) arns() []string {
	if len(p.attached) > 0 {
		return p.attached
	}
	return p.declared
}

// disagrees reports whether the manifest and the load balancer have different certificates.
func (p tlsListener) disagrees() bool {
	return len(p.attached) > 0 && len(p.declared) > 0 && p.attached[0] != p.declared[0]
}
