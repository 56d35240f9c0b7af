package config

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"certdrift/internal/arn"
	"certdrift/internal/finding"
	"certdrift/internal/target"
)

// The limits of a phase's timeout. A Lambda function runs for at most 15 minutes.
const (
	defaultTimeout = 10 * time.Second
	maxTimeout     = 5 * time.Minute
)

// common has the defaults of all endpoints.
type common struct {
	timeout  time.Duration
	expect   target.Expect
	ehloName string
	networks []string
}

func (b *builder) defaults() common {
	c := common{timeout: defaultTimeout}
	in := &b.in.Defaults
	b.span("timeout", &in.Timeout, maxTimeout, &c.timeout)
	b.expect(nil, &in.Expect, &c.expect)
	b.ehloName(nil, &in.EHLOName, &c.ehloName)
	return c
}

// endpoint returns the target for an endpoint. Errors are reported, and the endpoint is then left out.
func (b *builder) endpoint(env string, e *Endpoint, defaults common, trust target.Trust) target.Endpoint {
	out := target.Endpoint{
		Environment: env, Name: e.Name, Timeout: defaults.timeout, Networks: defaults.networks, Service: e.Service,
		PerEndpointMetrics: b.in.Metrics.PerEndpoint || e.PerEndpointMetrics, Source: b.at(e),
		Trust: target.Trust{Roots: trust.Roots, CAs: slices.Concat(trust.CAs, b.caFiles(e, e.CAFiles))},
	}
	if b.given(&e.Name) {
		b.wrong(e, "name", &e.Name, checkName(e.Name))
	}
	if b.given(&e.Timeout) && time.Duration(e.Timeout) > maxTimeout {
		b.wrong(e, "timeout", &e.Timeout, &mistake{"is too long", fmt.Sprintf("at most %s", maxTimeout)})
	} else if b.given(&e.Timeout) {
		out.Timeout = time.Duration(e.Timeout)
	}
	b.location(e, &out)
	b.connectTo(e, &out)
	b.request(e, &out)
	if out.Kind.Web() {
		out.Expect = defaults.expect
	}
	b.expect(e, &e.Expect, &out.Expect)
	if out.Kind == target.SMTP {
		out.EHLOName = defaults.ehloName
	}
	b.ehloName(e, &e.EHLOName, &out.EHLOName)
	b.declared(e, &out)
	b.loadBalancer(e, &out)
	if b.given(&e.Service) {
		b.wrong(e, "service", &e.Service, checkService(e.Service))
	}
	b.checkKind(e, &out)
	return out
}

func (b *builder) location(e *Endpoint, out *target.Endpoint) {
	if !b.given(&e.URL) {
		return
	}
	l, m := parseURL(e.URL)
	b.wrong(e, "url", &e.URL, m)
	out.URL, out.Kind, out.Host, out.Port = l.shown, l.kind, l.host, l.port
	out.Request.Username, out.Request.Password, out.Request.Query = l.user, l.password, l.query
}

func (b *builder) connectTo(e *Endpoint, out *target.Endpoint) {
	for i := range e.ConnectTo {
		if !b.given(&e.ConnectTo[i]) {
			continue
		}
		address, m := parseConnectTo(e.ConnectTo[i])
		b.wrong(e, "connect_to", &e.ConnectTo[i], m)
		if m == nil && !slices.Contains(out.ConnectTo, address) {
			out.ConnectTo = append(out.ConnectTo, address)
		}
	}
}

// ehloName reads the name for EHLO, as SMTP wants it: a host name or an address literal (RFC 5321 §4.1.1.1).
func (b *builder) ehloName(e *Endpoint, in, out *string) {
	if !b.given(in) {
		return
	}
	name, m := parseEHLOName(*in)
	b.wrong(e, "ehlo_name", in, m)
	*out = name
}

func parseEHLOName(text string) (string, *mistake) {
	wrong := &mistake{finding.Quote(text) + " is neither a host name nor an address in brackets", "write it as monitor.example.org, [192.0.2.1] or [IPv6:2001:db8::1]"}
	literal, bracketed := strings.CutPrefix(text, "[")
	if !bracketed {
		name, m := parseHost(text)
		if _, err := netip.ParseAddr(name); m != nil || err == nil {
			return "", wrong
		}
		return name, nil
	}
	literal, closed := strings.CutSuffix(literal, "]")
	tagged := len(literal) > 5 && strings.EqualFold(literal[:5], "IPv6:")
	if tagged {
		literal = literal[5:]
	}
	ip, err := netip.ParseAddr(literal)
	switch {
	case !closed || err != nil || ip.Zone() != "" || tagged && ip.Is4():
		return "", wrong
	case ip.Is4():
		return "[" + ip.String() + "]", nil
	}
	return "[IPv6:" + ip.String() + "]", nil
}

// checkKind reports keys that the URL's kind does not use.
func (b *builder) checkKind(e *Endpoint, out *target.Endpoint) {
	if out.Kind == "" {
		return
	}
	for _, key := range []struct {
		name  string
		value any
		fits  bool
		hint  string
	}{
		{"expect", &e.Expect, out.Kind.Web(), "only http and https have responses: remove it"},
		{"request", &e.Request, out.Kind.Web(), "only http and https have requests: remove it"},
		{"certificate", e.Certificate, out.Kind.Secured(), "http serves no certificate: remove it, or write https"},
		{"ehlo_name", &e.EHLOName, out.Kind == target.SMTP, "only smtp has it: remove it"},
		{"client_certificate", e.ClientCertificate, out.Kind.Secured(), "http does not use it: remove it, or write https"},
	} {
		if b.given(key.value) && !key.fits {
			b.report(b.at(key.value), e, fmt.Sprintf("%s cannot be used with %s", key.name, out.Kind), key.hint)
		}
	}
}

func (b *builder) declared(e *Endpoint, out *target.Endpoint) {
	in := e.Certificate
	if in == nil || !b.given(in) {
		return
	}
	out.Declared = &target.Declared{ARN: in.ARN, Issuer: in.Issuer, Source: b.at(&in.ARN, &in.FingerprintSHA256, &in.Issuer, in)}
	if !b.mentioned(&in.ARN) && !b.mentioned(&in.FingerprintSHA256) && !b.mentioned(&in.Issuer) {
		b.wrong(e, "certificate", in, &mistake{"declares nothing", "add arn, fingerprint_sha256 or issuer"})
	}
	if b.given(&in.ARN) {
		b.wrong(e, "arn", &in.ARN, checkCertificateARN(in.ARN))
	}
	if b.given(&in.FingerprintSHA256) {
		var m *mistake
		out.Declared.FingerprintSHA256, m = parseFingerprint(in.FingerprintSHA256)
		b.wrong(e, "fingerprint_sha256", &in.FingerprintSHA256, m)
	}
}

func checkCertificateARN(text string) *mistake {
	if _, err := arn.Certificate(text); err != nil {
		return &mistake{err.Error(), "write it as arn:aws:acm:REGION:ACCOUNT:certificate/ID or arn:aws:iam::ACCOUNT:server-certificate/NAME"}
	}
	return nil
}

// parseFingerprint reads a SHA-256 fingerprint as openssl, browsers and the AWS console show it.
func parseFingerprint(text string) (string, *mistake) {
	digits := strings.ToLower(text)
	for _, prefix := range []string{"sha256 fingerprint=", "sha256:", "sha256="} {
		digits = strings.TrimPrefix(digits, prefix)
	}
	digits = strings.NewReplacer(":", "", " ", "", "-", "").Replace(digits)
	if raw, err := hex.DecodeString(digits); err != nil || len(raw) != 32 {
		return "", &mistake{"is not 64 hexadecimal digits", "take it from `openssl x509 -in cert.pem -noout -fingerprint -sha256`"}
	}
	return digits, nil
}

func (b *builder) loadBalancer(e *Endpoint, out *target.Endpoint) {
	in := e.LoadBalancer
	if in == nil || !b.given(in) {
		return
	}
	out.LoadBalancer = &target.LoadBalancerRef{Name: in.Name, Port: out.Port, Region: in.Region}
	if b.given(&in.Port) {
		out.LoadBalancer.Port = in.Port
		if in.Port < 1 || in.Port > 65535 {
			b.wrong(e, "port", &in.Port, &mistake{fmt.Sprintf("%d is out of range", in.Port), "a port is a number from 1 to 65535"})
		}
	}
	if b.given(&in.Name) && !madeOfNameCharacters(in.Name) {
		b.wrong(e, "name", &in.Name, &mistake{finding.Quote(in.Name) + " is not a load balancer name",
			"write the name alone, not its ARN or DNS name: at most 32 letters, digits and hyphens"})
	}
	if !b.given(&in.Region) {
		return
	}
	if !arn.Region(in.Region) {
		b.wrong(e, "region", &in.Region, &mistake{finding.Quote(in.Region) + " is not a region", "write it as us-west-2, without the letter of an availability zone"})
		return
	}
	if out.Declared == nil {
		return
	}
	if a, err := arn.Certificate(out.Declared.ARN); err == nil && a.Region != "" && a.Region != in.Region {
		b.wrong(e, "arn", &e.Certificate.ARN, &mistake{"is in " + a.Region + ", but the load balancer is in " + in.Region,
			"a listener takes ACM certificates only from its own region"})
	}
}

// madeOfNameCharacters reports whether a text can be the name of a load balancer of any kind (CreateLoadBalancer, both APIs).
func madeOfNameCharacters(name string) bool {
	return len(name) <= 32 && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-')
	})
}

func checkService(text string) *mistake {
	namespace, name, ok := strings.Cut(text, "/")
	if lower := strings.ToLower(text); lower != text && checkService(lower) == nil {
		return &mistake{finding.Quote(text) + " has capitals, and Kubernetes' names have none", "write it as " + lower}
	}
	if !ok || !validName(namespace) || !validName(name) {
		return &mistake{finding.Quote(text) + " is not NAMESPACE/NAME", "write it as production/api"}
	}
	return nil
}
