package report

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"certdrift/internal/finding"
)

// WritePrometheus writes the report in Prometheus's text format 0.0.4 for node_exporter's textfile collector. Names
// and units are blackbox_exporter's where it has the same figure; the rest begins with certdrift_.
// https://prometheus.io/docs/instrumenting/exposition_formats/
func WritePrometheus(w io.Writer, r Report) error {
	p := &exposition{families: map[string]*family{}}
	for _, e := range r.Endpoints {
		for _, a := range e.Addresses {
			p.probe(e, a)
		}
		if len(e.Addresses) == 0 && e.State != Unknown {
			p.add("probe_success", 0, targetLabels(e, "")...)
		}
	}
	p.listeners(r)
	p.totals(r)
	b, about := bufio.NewWriter(w), help()
	for _, name := range p.order {
		f := p.families[name]
		fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s gauge\n", name, about[name], name)
		for _, s := range f.samples {
			fmt.Fprintln(b, s)
		}
	}
	return b.Flush()
}

// help describes each family once, as the format wants it.
func help() map[string]string {
	return map[string]string{
		"probe_success":                                      "Whether the address is without critical findings and the probe went through.",
		"probe_duration_seconds":                             "How long the probe of the address took.",
		"probe_dns_lookup_time_seconds":                      "How long the look-up of the name took.",
		"probe_http_status_code":                             "Response HTTP status code.",
		"probe_http_duration_seconds":                        "Duration of the probe by phase.",
		"probe_http_uncompressed_body_length":                "Length of the decoded body in bytes, as far as it was read.",
		"probe_ip_protocol":                                  "Whether the address is IPv4 (4) or IPv6 (6).",
		"probe_ssl_earliest_cert_expiry":                     "The earliest end among the certificates sent, in Unix time.",
		"probe_ssl_last_chain_info":                          "The leaf certificate as served.",
		"probe_tls_version_info":                             "The TLS version agreed on.",
		"certdrift_endpoints":                                "Endpoints by state.",
		"certdrift_findings":                                 "Findings by environment, severity and code.",
		"certdrift_listener_certificate_expiry_time_seconds": "The end of a certificate attached to a listener, in Unix time.",
		"certdrift_listeners":                                "Listeners by state.",
		"certdrift_round_complete":                           "Whether every check could be run.",
		"certdrift_round_duration_seconds":                   "How long the round took.",
		"certdrift_round_finished_time_seconds":              "When the round ended, in Unix time.",
	}
}

type exposition struct {
	families map[string]*family
	order    []string
}

type family struct {
	samples []string
	seen    map[string]bool
}

type label struct{ name, value string }

// add writes a sample; a second one with the same labels is dropped, since the collector would refuse the file.
func (p *exposition) add(name string, value float64, labels ...label) {
	f := p.families[name]
	if f == nil {
		f = &family{seen: map[string]bool{}}
		p.families[name] = f
		p.order = append(p.order, name)
		slices.Sort(p.order)
	}
	var pairs []string
	for _, l := range labels {
		pairs = append(pairs, l.name+`="`+labelValue(l.value)+`"`)
	}
	series := name
	if len(pairs) > 0 {
		series += "{" + strings.Join(pairs, ",") + "}"
	}
	if f.seen[series] {
		return
	}
	f.seen[series] = true
	f.samples = append(f.samples, series+" "+strconv.FormatFloat(value, 'f', -1, 64))
}

// labelValue cleans and escapes a label's value; what Clean wrote with a backslash stays readable that way.
func labelValue(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(finding.Clean(s, textLimit))
}

func targetLabels(e Endpoint, address string) []label {
	return []label{{"environment", e.Environment}, {"endpoint", e.Name}, {"target", e.URL}, {"address", address}}
}

func (p *exposition) probe(e Endpoint, a Address) {
	labels := targetLabels(e, a.Address)
	p.add("probe_success", boolValue(a.Failure == nil && !critical(e, a)), labels...)
	p.add("probe_duration_seconds", a.Phases.Total/1000, labels...)
	p.add("probe_dns_lookup_time_seconds", a.Phases.DNS/1000, labels...)
	if a.Address != "" {
		p.add("probe_ip_protocol", ipVersion(a.Address), labels...)
	}
	if h := a.HTTP; h != nil {
		p.add("probe_http_status_code", float64(h.Status), labels...)
		p.add("probe_http_uncompressed_body_length", float64(h.Size), labels...)
		for _, phase := range []struct {
			name string
			took float64
		}{
			{"resolve", a.Phases.DNS}, {"connect", a.Phases.Connect}, {"tls", a.Phases.TLS}, {"processing", a.Phases.FirstByte},
		} {
			p.add("probe_http_duration_seconds", phase.took/1000, append(slices.Clone(labels), label{"phase", phase.name})...)
		}
	}
	p.tls(a, labels)
}

func (p *exposition) tls(a Address, labels []label) {
	if a.Protocol != nil {
		p.add("probe_tls_version_info", 1, append(slices.Clone(labels), label{"version", a.Protocol.Version})...)
	}
	var earliest time.Time
	for _, c := range a.Chain {
		if !c.NotAfter.IsZero() && (earliest.IsZero() || c.NotAfter.Before(earliest)) {
			earliest = c.NotAfter
		}
	}
	if earliest.IsZero() {
		return
	}
	p.add("probe_ssl_earliest_cert_expiry", float64(earliest.Unix()), labels...)
	leaf := a.Chain[0]
	p.add("probe_ssl_last_chain_info", 1, append(slices.Clone(labels),
		label{"fingerprint_sha256", leaf.FingerprintSHA256}, label{"subject", leaf.Subject}, label{"issuer", leaf.Issuer},
		label{"serialnumber", leaf.Serial}, label{"subjectalternative", strings.Join(leaf.Names, ",")})...)
}

func (p *exposition) listeners(r Report) {
	states := map[State]int{}
	for _, l := range r.Listeners {
		states[l.State]++
		for _, c := range l.Certificates {
			if c.NotAfter != nil {
				p.add("certdrift_listener_certificate_expiry_time_seconds", float64(c.NotAfter.Unix()),
					label{"listener", l.Listener}, label{"region", l.Region}, label{"account", l.Account}, label{"arn", c.ARN})
			}
		}
	}
	if len(r.Listeners) > 0 {
		for _, s := range []State{OK, Warning, Critical, Unknown} {
			p.add("certdrift_listeners", float64(states[s]), label{"state", string(s)})
		}
	}
}

func (p *exposition) totals(r Report) {
	type group struct {
		environment string
		severity    finding.Severity
		code        finding.Code
	}
	found := map[group]int{}
	for _, f := range r.Findings {
		found[group{f.Environment, f.Severity, f.Code}]++
	}
	order := slices.SortedFunc(maps.Keys(found), func(a, b group) int {
		return strings.Compare(fmt.Sprint(a.environment, "\x00", int(finding.Critical-a.severity), a.code), fmt.Sprint(b.environment, "\x00", int(finding.Critical-b.severity), b.code))
	})
	for _, g := range order {
		p.add("certdrift_findings", float64(found[g]),
			label{"environment", g.environment}, label{"severity", g.severity.String()}, label{"code", string(g.code)})
	}
	states := map[label]int{}
	environments := map[string]bool{}
	for _, e := range r.Endpoints {
		environments[e.Environment] = true
		states[label{e.Environment, string(e.State)}]++
	}
	for _, environment := range slices.Sorted(maps.Keys(environments)) {
		for _, s := range []State{OK, Warning, Critical, Unknown} {
			p.add("certdrift_endpoints", float64(states[label{environment, string(s)}]),
				label{"environment", environment}, label{"state", string(s)})
		}
	}
	p.add("certdrift_round_complete", boolValue(r.Complete))
	p.add("certdrift_round_duration_seconds", r.Finished.Sub(r.Started).Seconds())
	p.add("certdrift_round_finished_time_seconds", float64(r.Finished.UnixMilli())/1000)
}

// critical reports whether a critical finding holds for the address: one of its own, or one for the whole endpoint.
func critical(e Endpoint, a Address) bool {
	return slices.ContainsFunc(e.findings, func(f finding.Finding) bool {
		return f.Severity == finding.Critical && (f.Address == "" || f.Address == a.Address)
	})
}

func ipVersion(address string) float64 {
	if strings.HasPrefix(address, "[") {
		return 6
	}
	return 4
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
