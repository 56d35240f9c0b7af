package config

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"certdrift/internal/arn"
	"certdrift/internal/finding"
	"certdrift/internal/policy"
	"certdrift/internal/probe/netguard"
	"certdrift/internal/target"
	"certdrift/internal/yamldoc"
)

// builder builds a Config from a File, of which some values may be missing because of errors.
type builder struct {
	*decoder
	files files
	in    File
}

// mistake is what is wrong with a value, without its position. The message continues a sentence that begins with the key.
type mistake struct{ message, hint string }

func (b *builder) decodeFile(body ast.Node) {
	b.doc = yamldoc.NewResolver(body, b.errorAt)
	b.decode("the configuration", body, reflect.ValueOf(&b.in).Elem())
}

// given reports whether the file has a value that could be read; value points into b.in.
func (b *builder) given(value any) bool {
	_, ok := b.positions[value]
	return ok
}

// mentioned reports whether the file has the key at all, even with a value that could not be read.
func (b *builder) mentioned(value any) bool { return b.given(value) || b.rejected[value] }

// at returns the position of the first of the values that the file has.
func (b *builder) at(values ...any) target.Position {
	for _, v := range values {
		if at, ok := b.positions[v]; ok {
			return at
		}
	}
	return target.Position{File: b.file, Line: 1, Column: 1}
}

// wrong reports a mistake in the value of a key; e is the endpoint that is excluded because of it, or nil.
func (b *builder) wrong(e *Endpoint, key string, value any, m *mistake) {
	if m != nil {
		b.report(b.at(value, e), e, key+" "+m.message, m.hint)
	}
}

// names returns each endpoint's environment and its name in diagnostics.
func (b *builder) names() map[*Endpoint][2]string {
	names := map[*Endpoint][2]string{}
	for env, environment := range b.in.Environments {
		for i := range environment.Endpoints {
			e := &environment.Endpoints[i]
			name := e.Name
			if name == "" {
				if u, m := parseURL(e.URL); m == nil {
					name = u.shown
				} else {
					name = fmt.Sprintf("endpoints[%d]", i)
				}
			}
			names[e] = [2]string{finding.Clean(env, finding.QuoteLimit), finding.Clean(name, finding.QuoteLimit)}
		}
	}
	return names
}

func (b *builder) build() Config {
	cfg := Config{Policy: policy.DefaultThresholds(), Incidents: policy.DefaultAlerting(), OtherEvery: time.Hour, ManifestsAt: map[string]target.Position{}}
	if b.given(&b.in.Version) && b.in.Version != 1 {
		b.wrong(nil, "version", &b.in.Version, &mistake{fmt.Sprintf("%d is not supported", b.in.Version), "write version: 1"})
	}
	b.policy(&cfg)
	cfg.Certificates = b.certificates()
	cfg.Endpoints = b.endpoints()
	cfg.Scope = b.scope(cfg.Endpoints)
	cfg.Incidents.Silences = b.silences()
	cfg.MetricsPerCertificate, cfg.MetricsWhileFailing = b.in.Metrics.PerCertificate, b.in.Metrics.WhileFailing
	cfg.HeartbeatURL = b.heartbeat()
	for i := range b.in.Manifests {
		if strings.TrimSpace(b.in.Manifests[i]) != "" {
			cfg.Manifests = append(cfg.Manifests, b.in.Manifests[i])
			cfg.ManifestsAt[b.in.Manifests[i]] = b.at(&b.in.Manifests[i])
		}
	}
	if len(b.diagnostics) == 0 && len(cfg.Endpoints) == 0 && !cfg.Scope.Enabled && len(cfg.Manifests) == 0 {
		b.report(b.at(&b.in), nil, "there is nothing to check: no endpoints, no load_balancers, no manifests",
			"add environments with endpoints, as in certdrift.example.yaml")
	}
	return cfg
}

func (b *builder) policy(cfg *Config) {
	p := &b.in.Policy
	b.expiry(&cfg.Policy)
	if b.oneOf(nil, "revocation", &p.Revocation, "staple", "full", "off") {
		cfg.Policy.Revocation = policy.RevocationMode(p.Revocation)
	}
	b.span("root_removal", &p.RootRemoval, 10*365*24*time.Hour, &cfg.Policy.RootRemoval)
	b.span("settle", &p.Settle, time.Hour, &cfg.Policy.Settle)
	b.span("second_certificate", &p.SecondCertificate, 7*24*time.Hour, &cfg.OtherEvery)
	b.span("remind", &p.Remind, 30*24*time.Hour, &cfg.Incidents.Remind)
	for _, count := range []struct {
		key  string
		from *int
		to   *int
		most int
	}{
		{"confirm", &p.Confirm, &cfg.Incidents.Confirm, 100},
		{"recover", &p.Recover, &cfg.Incidents.Recover, 100},
		{"storm_after", &p.StormAfter, &cfg.Incidents.StormAfter, 1000},
		{"sms_per_hour", &p.SMSPerHour, &cfg.Incidents.SMSPerHour, 1000},
	} {
		if !b.given(count.from) {
			continue
		}
		if *count.from < 1 || *count.from > count.most {
			b.wrong(nil, count.key, count.from, &mistake{fmt.Sprintf("%d is out of range", *count.from),
				fmt.Sprintf("write a number from 1 to %d", count.most)})
			continue
		}
		*count.to = *count.from
	}
}

// expiry sets the thresholds. Percentages and durations cannot be compared without a certificate, so their order is checked
// only if both are of one kind.
func (b *builder) expiry(p *policy.Thresholds) {
	e := &b.in.Policy.Expiry
	if b.given(&e.Warning) {
		p.ExpiryWarning = policy.Threshold(e.Warning)
	}
	if b.given(&e.Critical) {
		p.ExpiryCritical = policy.Threshold(e.Critical)
	}
	w, c := p.ExpiryWarning, p.ExpiryCritical
	shares := w.Duration == 0 && c.Duration == 0 && w.Share <= c.Share
	durations := w.Duration != 0 && c.Duration != 0 && w.Duration <= c.Duration
	if shares || durations {
		b.report(b.at(&e.Warning, &e.Critical), nil, "the warning threshold of expiry is not above the critical one",
			"the warning comes first, with more of the lifetime left: warning: 25%, critical: 10% (the defaults)")
		p.ExpiryWarning, p.ExpiryCritical = policy.DefaultThresholds().ExpiryWarning, policy.DefaultThresholds().ExpiryCritical
	}
}

// span sets a duration that is at most most.
func (b *builder) span(key string, from *Duration, most time.Duration, to *time.Duration) {
	if !b.given(from) {
		return
	}
	if time.Duration(*from) > most {
		b.wrong(nil, key, from, &mistake{"is too long", fmt.Sprintf("at most %s", most)})
		return
	}
	*to = time.Duration(*from)
}

// oneOf reports whether a text is set and is one of the allowed ones.
func (b *builder) oneOf(e *Endpoint, key string, text *string, allowed ...string) bool {
	if !b.given(text) {
		return false
	}
	if !slices.Contains(allowed, *text) {
		b.wrong(e, key, text, &mistake{"cannot be " + finding.Quote(*text), suggest(*text, allowed)})
		return false
	}
	return true
}

// endpoints returns the valid endpoints in the file's order.
func (b *builder) endpoints() []target.Endpoint {
	if b.spent {
		return nil // the endpoints were not read completely
	}
	trust := b.trust()
	defaults := b.defaults()
	defaults.networks = b.networks()
	var good []target.Endpoint
	for _, env := range slices.Sorted(maps.Keys(b.in.Environments)) {
		environment := b.in.Environments[env]
		where := keyOf{&b.in.Environments, env}
		if m := checkName(env); m != nil {
			b.wrong(nil, "the environment's name", where, m)
		}
		if len(environment.Endpoints) == 0 && !b.mentioned(environment) {
			b.wrong(nil, "the environment "+finding.Quote(env), where, &mistake{"has no endpoints", "add endpoints: under it, or remove it"})
		}
		seen := map[string]int{}
		for i := range environment.Endpoints {
			e := &environment.Endpoints[i]
			made := b.endpoint(env, e, defaults, trust)
			if line, twice := seen[e.Name]; twice && e.Name != "" {
				b.wrong(e, "name", &e.Name, &mistake{fmt.Sprintf("%s is already used by the endpoint in line %d", finding.Quote(e.Name), line),
					"give each endpoint of an environment a unique name"})
			} else {
				seen[e.Name] = b.at(&e.Name, e).Line
			}
			if !b.excluded[e] && b.given(&e.Name) && b.given(&e.URL) {
				good = append(good, made)
			}
		}
	}
	slices.SortStableFunc(good, func(x, y target.Endpoint) int {
		return cmp.Or(cmp.Compare(x.Source.Line, y.Source.Line), cmp.Compare(x.Source.Column, y.Source.Column))
	})
	return good
}

// networks returns the private networks that the file opens.
func (b *builder) networks() []string {
	var out []string
	for i := range b.in.Networks.Allow {
		text := &b.in.Networks.Allow[i]
		if !b.given(text) {
			continue
		}
		network, err := netguard.ParseNetwork(*text)
		if err != nil {
			b.wrong(nil, "allow", text, &mistake{finding.Quote(*text) + " " + err.Error(),
				"write a network such as 10.0.0.0/8, or 10.0.0.9/32 for one address"})
			continue
		}
		if !slices.Contains(out, network.String()) {
			out = append(out, network.String())
		}
	}
	return out
}

// checkName accepts any name that does not break lines or columns.
func checkName(name string) *mistake {
	switch {
	case strings.TrimSpace(name) != name || name == "":
		return &mistake{"is empty, or begins or ends with a space", "give it a name"}
	case len(name) > 200:
		return &mistake{"is longer than 200 bytes", "shorten it"}
	case finding.Clean(name, 200) != name:
		return &mistake{"contains invisible characters", "use printable characters"}
	}
	return nil
}

// scope returns what inspect reads. It is enabled if the configuration refers to load balancers at all: by load_balancers, by
// an endpoint's load_balancer or service, or by a declared ARN of an endpoint that is found through DNS.
func (b *builder) scope(endpoints []target.Endpoint) target.Scope {
	s := target.Scope{Enabled: slices.ContainsFunc(endpoints, func(e target.Endpoint) bool {
		declared := e.Declared != nil && e.Declared.ARN != "" && len(e.ConnectTo) == 0
		return e.LoadBalancer != nil || e.Service != "" || declared
	})}
	s.Walk = s.Enabled && (len(b.in.Manifests) > 0 || slices.ContainsFunc(endpoints, func(e target.Endpoint) bool {
		return e.LoadBalancer == nil && (e.Service != "" || len(e.ConnectTo) == 0)
	}))
	in := b.in.LoadBalancers
	if in == nil {
		return s
	}
	s.Enabled, s.Walk, s.Listed = true, true, true
	s.Tags = in.Tags
	for i := range in.Regions {
		if !b.given(&in.Regions[i]) {
			continue
		}
		if !arn.Region(in.Regions[i]) {
			b.wrong(nil, "regions", &in.Regions[i], &mistake{"contains " + finding.Quote(in.Regions[i]) + ", which is not a region", "write it as us-west-2, without the letter of an availability zone"})
			continue
		}
		if !slices.Contains(s.Regions, in.Regions[i]) {
			s.Regions = append(s.Regions, in.Regions[i])
		}
	}
	for i := range in.RoleARNs {
		r := &in.RoleARNs[i]
		if !b.given(&r.ARN) {
			continue
		}
		if _, err := arn.Role(r.ARN); err != nil {
			b.wrong(nil, "the role's ARN", &r.ARN, &mistake{err.Error(), "write it as arn:aws:iam::444455556666:role/NAME"})
			continue
		}
		s.Roles = append(s.Roles, target.Role{ARN: r.ARN, ExternalID: target.Secret(r.ExternalID)})
	}
	return s
}

// heartbeat returns the URL to call, if it is valid.
func (b *builder) heartbeat() target.Secret {
	if !b.given(&b.in.HeartbeatURL) {
		return ""
	}
	_, m := parseURL(b.in.HeartbeatURL)
	if scheme, _, _ := strings.Cut(strings.ToLower(b.in.HeartbeatURL), "://"); !target.Kind(scheme).Web() {
		m = &mistake{"must be http or https", "write it as https://…"}
	}
	if m != nil {
		b.wrong(nil, "heartbeat_url", &b.in.HeartbeatURL, m)
		return ""
	}
	return target.Secret(b.in.HeartbeatURL)
}
