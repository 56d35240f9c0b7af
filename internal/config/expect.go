package config

import (
	"cmp"
	"fmt"
	"maps"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"certdrift/internal/finding"
	"certdrift/internal/target"
)

// JSONPath is the pattern of body_json's paths: $.name, $.list[0], $["a name"]. The "$." is optional.
const JSONPath = `^(\$|[^$.\[\]"'\s][^.\[\]"'\s]*)(\.[^.\[\]"'\s]+|\[[0-9]{1,9}\]|\["[^"]+"\]|\['[^']+'\])*$`

// expect sets the expectations that the file has; the others stay in out.
func (b *builder) expect(e *Endpoint, in *Expect, out *target.Expect) {
	if b.given(&in.Status) {
		out.Status = slices.Clone(in.Status)
		for i := range in.Status {
			if b.given(&in.Status[i]) && (in.Status[i] < 100 || in.Status[i] > 599) {
				b.wrong(e, "status", &in.Status[i], &mistake{fmt.Sprintf("%d is not a status code", in.Status[i]), "a status is a number from 100 to 599"})
			}
		}
	}
	if b.given(&in.BodyContains) {
		out.BodyContains = in.BodyContains
	}
	if b.given(&in.BodyMatches) {
		out.BodyMatches = in.BodyMatches
		if _, err := regexp.Compile(in.BodyMatches); err != nil {
			b.wrong(e, "body_matches", &in.BodyMatches, &mistake{"cannot be compiled: " + finding.Clean(err.Error(), finding.QuoteLimit),
				"write a regular expression in RE2's syntax, in single quotes"})
		}
	}
	if b.given(&in.MaxLatency) {
		out.MaxLatency = time.Duration(in.MaxLatency)
	}
	if b.given(&in.MaxSize) {
		out.MaxSize = int64(in.MaxSize)
	}
	if b.given(&in.Redirects) {
		limit := int(in.Redirects)
		out.MaxRedirects = &limit
	}
	b.expectJSON(e, in, out)
	b.expectHeaders(e, in, out)
}

func (b *builder) expectJSON(e *Endpoint, in *Expect, out *target.Expect) {
	if !b.given(&in.BodyJSON) {
		return
	}
	out.BodyJSON = nil
	path := regexp.MustCompile(JSONPath)
	for i := range in.BodyJSON {
		v := &in.BodyJSON[i]
		if b.given(&v.Path) && !path.MatchString(v.Path) {
			b.wrong(e, "path", &v.Path, &mistake{finding.Quote(v.Path) + " is not a valid path", "write it as $.status or $.items[0].id"})
		}
		out.BodyJSON = append(out.BodyJSON, target.JSONValue{Path: v.Path, Equals: v.Equals.Text})
	}
}

func (b *builder) expectHeaders(e *Endpoint, in *Expect, out *target.Expect) {
	if !b.given(&in.Headers) {
		return
	}
	out.Headers = nil
	for i := range in.Headers {
		v := &in.Headers[i]
		if b.given(&v.Name) && !httpguts.ValidHeaderFieldName(v.Name) {
			b.wrong(e, "name", &v.Name, &mistake{finding.Quote(v.Name) + " is not a valid header name", "use letters, digits and hyphens"})
		}
		out.Headers = append(out.Headers, target.HeaderValue{Name: textproto.CanonicalMIMEHeaderKey(v.Name), Contains: v.Contains})
	}
}

// request sets the method, the headers and the client certificate.
func (b *builder) request(e *Endpoint, out *target.Endpoint) {
	in := &e.Request
	if b.oneOf(e, "method", &in.Method, "GET", "HEAD", "OPTIONS", "POST") {
		out.Request.Method = in.Method
	}
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(in.Headers)) {
		at := keyOf{&in.Headers, name}
		// The value is never shown: it may be a token.
		switch canonical := textproto.CanonicalMIMEHeaderKey(name); {
		case !httpguts.ValidHeaderFieldName(name):
			b.wrong(e, "headers", at, &mistake{"contains " + finding.Quote(name) + ", which is not a valid header name", "use letters, digits and hyphens"})
		case !httpguts.ValidHeaderFieldValue(in.Headers[name]):
			b.wrong(e, "headers", at, &mistake{"contains a value for " + name + " that cannot be sent", "keep line breaks and control characters out of it"})
		case slices.Contains([]string{"Host", "Content-Length", "Transfer-Encoding", "Connection", "Trailer", "Upgrade"}, canonical):
			b.wrong(e, "headers", at, &mistake{"cannot set " + canonical, "the host comes from the URL; to connect to another address use connect_to"})
		case seen[canonical]:
			b.wrong(e, "headers", at, &mistake{"contains " + canonical + " twice, in different case", "keep one of the two"})
		default:
			seen[canonical] = true
			out.Request.Headers = append(out.Request.Headers, target.Header{Name: canonical, Value: target.Secret(in.Headers[name])})
		}
	}
	slices.SortStableFunc(out.Request.Headers, func(x, y target.Header) int { return cmp.Compare(x.Name, y.Name) })
	if in.Method == "HEAD" && (e.Expect.BodyContains != "" || e.Expect.BodyMatches != "" || len(e.Expect.BodyJSON) > 0) {
		b.wrong(e, "method", &in.Method, &mistake{"HEAD returns no body, but expect requires one", "write GET, or expect no body"})
	}
	if e.ClientCertificate == nil || !b.given(&e.ClientCertificate.CertFile) || !b.given(&e.ClientCertificate.KeyFile) {
		return
	}
	var m *mistake
	out.Request.ClientCertificate, m = b.files.clientCertificate(e.ClientCertificate)
	b.wrong(e, "client_certificate", e.ClientCertificate, m)
}

// certificates reads the certificates that the file gives for ARNs.
func (b *builder) certificates() []target.CertificateFile {
	var out []target.CertificateFile
	lines := map[string]int{}
	for i := range b.in.Certificates {
		c := &b.in.Certificates[i]
		if !b.given(&c.ARN) || !b.given(&c.File) {
			continue
		}
		if m := checkCertificateARN(c.ARN); m != nil {
			b.wrong(nil, "arn", &c.ARN, m)
			continue
		}
		if line, twice := lines[strings.ToLower(c.ARN)]; twice {
			b.wrong(nil, "arn", &c.ARN, &mistake{fmt.Sprintf("is a duplicate, first in line %d", line), "keep one of the two"})
			continue
		}
		lines[strings.ToLower(c.ARN)] = b.at(&c.ARN).Line
		chain, m := b.files.certificates(c.File)
		if m != nil {
			b.wrong(nil, "file", &c.File, m)
			continue
		}
		out = append(out, target.CertificateFile{ARN: c.ARN, Chain: chain})
	}
	return out
}
