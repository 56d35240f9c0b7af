package finding

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Evidence holds facts behind a finding by name, for people and scripts. Values are strings, numbers, booleans, times, or
// slices and maps of these; encoding/json writes the names sorted. What the program itself acts on is typed: see
// Finding.Subject, Certificates, Clients and Attribution.
type Evidence map[string]any

// AllEvidence returns Evidence and the typed facts, under their names in the JSON form. The caller owns the map.
func (f Finding) AllEvidence() Evidence {
	out := Evidence{}
	f.Subject.evidence(out)
	f.Certificates.evidence(out)
	f.Clients.evidence(out)
	f.Attribution.evidence(out)
	maps.Copy(out, f.Evidence)
	return out
}

// KeyName returns how the key of the certificate is called that a finding about one of two is about; Subject.KeyType is what clients choose
// by.
func (f Finding) KeyName() string {
	if name, ok := f.Evidence["key_algorithm"].(string); ok {
		return name
	}
	return f.Subject.KeyType
}

// MarshalJSON writes the typed facts as part of the evidence, as the contract requires.
func (f Finding) MarshalJSON() ([]byte, error) {
	type plain Finding
	out := plain(f)
	if all := f.AllEvidence(); f.Evidence != nil || len(all) > 0 {
		out.Evidence = all
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads a finding and extracts the typed facts from its evidence.
func (f *Finding) UnmarshalJSON(b []byte) error {
	type plain Finding
	if err := json.Unmarshal(b, (*plain)(f)); err != nil {
		return err
	}
	f.Lift()
	return nil
}

// put adds a text that is not empty.
func (e Evidence) put(name, text string) {
	if text != "" {
		e[name] = text
	}
}

func (s Subject) evidence(to Evidence) {
	to.put("region", s.Listener.Region)
	to.put("account", s.Listener.Account)
	to.put("arn", s.Listener.ARN)
	to.put("load_balancer_arn", s.Listener.LoadBalancerARN)
	to.put("load_balancer_kind", s.Listener.Kind)
	to.put("listener", s.Behind)
	to.put("redirected_to", s.Hop)
	to.put("key_type", s.KeyType)
	if s.Other {
		to["other_certificate"] = true
	}
	to.put("file", s.Source.File)
	to.put("object", s.Source.Object)
	if s.Source.File != "" && s.Source.Line > 0 {
		to["line"] = s.Source.Line
	}
	if s.Source.Column > 0 {
		to["column"] = s.Source.Column
	}
	if s.Source.Generated {
		to["generated"] = true
	}
	if s.Refused {
		to["refused"] = true
	}
}

func (c Certificates) evidence(to Evidence) {
	for name, side := range map[string][]Certificate{"declared": c.Declared, "manifest": c.Manifest, "attached": c.Attached, "served": c.Served} {
		switch {
		case side == nil:
		case len(side) == 1:
			to[name] = side[0].Evidence()
		default:
			list := make([]any, 0, len(side))
			for _, one := range side {
				list = append(list, one.Evidence())
			}
			to[name] = list
		}
	}
}

func (c Clients) evidence(to Evidence) {
	for name, list := range map[string][]string{"refused_by": c.RefusedBy, "accepted_by": c.AcceptedBy, "clients_not_known": c.NotKnown} {
		if len(list) > 0 {
			to[name] = list
		}
	}
}

// Evidence returns the certificate as the JSON form has it.
func (c Certificate) Evidence() map[string]any {
	out := Evidence{}
	out.put("arn", c.ARN)
	out.put("fingerprint_sha256", c.FingerprintSHA256)
	out.put("issuer", c.Issuer)
	out.put("protocol", c.Protocol)
	out.put("at", c.At)
	if c.Names != nil {
		out["names"] = c.Names
	}
	if c.NameCount > 0 {
		out["names_in_all"] = c.NameCount
	}
	if !c.NotAfter.IsZero() {
		out["not_after"] = c.NotAfter
	}
	if c.Missing {
		out["missing"] = true
	}
	if c.None {
		out["none"] = true
	}
	if c.Addresses != nil {
		out["addresses"] = c.Addresses
	}
	return out
}

func (a Attribution) evidence(to Evidence) {
	if a.Change != nil {
		to["changed_by"] = a.Change.Evidence()
	}
	to.put("author", a.Unknown)
	for name, since := range map[string]*Since{"before": a.Before, "after": a.After} {
		if since != nil {
			to[name] = map[string]any{"arn": since.ARN, "since": since.Since}
		}
	}
}

// Evidence returns the change as the JSON form has it.
func (c Change) Evidence() map[string]any {
	standing := "claimed"
	if c.Confirmed {
		standing = "confirmed"
	}
	out := Evidence{"at": c.At, "event": c.Event, "standing": standing}
	for name, text := range map[string]string{
		"event_id": c.EventID, "principal": c.Principal, "name": c.Name, "session": c.Session, "tool": c.Tool,
		"user_agent": c.UserAgent, "source_ip": c.SourceIP, "action": c.Action, "certificate": c.Certificate,
	} {
		out.put(name, text)
	}
	return out
}

// Lift fills the typed facts from evidence in the JSON form, as UnmarshalJSON reads it and as fixtures write it.
func (f *Finding) Lift() {
	e := fields(f.Evidence)
	f.Subject = Subject{
		Behind: e.text("listener"), Hop: e.text("redirected_to"), KeyType: e.text("key_type"), Other: e.truth("other_certificate"),
		Certificate: e.text("fingerprint_sha256"), CertificateNotAfter: e.time("not_after"),
		Source:  Source{File: e.text("file"), Line: e.number("line"), Column: e.number("column"), Object: e.text("object"), Generated: e.truth("generated")},
		Refused: e.truth("refused"),
	}
	if f.Listener != "" {
		f.Subject.Listener = Listener{
			Region: e.text("region"), Account: e.text("account"), ARN: e.text("arn"),
			LoadBalancerARN: e.text("load_balancer_arn"), Kind: e.text("load_balancer_kind"),
		}
	}
	f.Certificates = Certificates{Declared: e.side("declared"), Manifest: e.side("manifest"), Attached: e.side("attached"), Served: e.side("served")}
	f.Clients = Clients{RefusedBy: e.texts("refused_by"), AcceptedBy: e.texts("accepted_by"), NotKnown: e.texts("clients_not_known")}
	f.Attribution = Attribution{Unknown: e.text("author"), Before: e.since("before"), After: e.since("after")}
	if by, ok := e["changed_by"].(map[string]any); ok {
		c := fields(by)
		f.Attribution.Change = &Change{
			At: c.time("at"), Event: c.text("event"), EventID: c.text("event_id"), Confirmed: c.text("standing") == "confirmed",
			Principal: c.text("principal"), Name: c.text("name"), Session: c.text("session"), Tool: c.text("tool"),
			UserAgent: c.text("user_agent"), SourceIP: c.text("source_ip"), Action: c.text("action"), Certificate: c.text("certificate"),
		}
	}
}

// fields reads evidence from a rule or from encoding/json: a number is an int or a float64, a time a time.Time or a
// string.
type fields map[string]any

func (e fields) text(name string) string {
	text, _ := e[name].(string)
	return text
}

func (e fields) truth(name string) bool {
	yes, _ := e[name].(bool)
	return yes
}

func (e fields) number(name string) int {
	switch v := e[name].(type) {
	case int:
		return v
	case float64:
		return int(v)
	}
	return 0
}

func (e fields) time(name string) time.Time {
	switch v := e[name].(type) {
	case time.Time:
		return v
	case string:
		at, _ := time.Parse(time.RFC3339Nano, v)
		return at
	}
	return time.Time{}
}

func (e fields) texts(name string) []string {
	switch v := e[name].(type) {
	case []string:
		return v
	case []any:
		out := make([]string, 0, len(v))
		for _, one := range v {
			if text, ok := one.(string); ok {
				out = append(out, text)
			}
		}
		return out
	}
	return nil
}

func (e fields) since(name string) *Since {
	m, ok := e[name].(map[string]any)
	if !ok {
		return nil
	}
	return &Since{fields(m).text("arn"), fields(m).time("since")}
}

// side reads the certificates of one source: one certificate, a list, or one for each address where the addresses differ.
func (e fields) side(name string) []Certificate {
	switch v := e[name].(type) {
	case map[string]any:
		c := fields(v)
		if !c.isCertificate() {
			return c.byAddress()
		}
		return []Certificate{c.certificate()}
	case []any:
		out := make([]Certificate, 0, len(v))
		for _, one := range v {
			if m, ok := one.(map[string]any); ok {
				out = append(out, fields(m).certificate())
			}
		}
		return out
	}
	return nil
}

func (e fields) isCertificate() bool {
	if len(e) == 0 {
		return true
	}
	for _, name := range []string{"arn", "fingerprint_sha256", "issuer", "names", "not_after", "missing", "none", "at"} {
		if _, ok := e[name]; ok {
			return true
		}
	}
	return false
}

func (e fields) byAddress() []Certificate {
	var out []Certificate
	for _, address := range slices.Sorted(maps.Keys(e)) {
		for _, c := range e.side(address) {
			c.Addresses = []string{address}
			out = append(out, c)
		}
	}
	return out
}

func (e fields) certificate() Certificate {
	return Certificate{
		ARN: e.text("arn"), FingerprintSHA256: e.text("fingerprint_sha256"), Issuer: e.text("issuer"),
		Names: e.texts("names"), NameCount: e.number("names_in_all"), NotAfter: e.time("not_after"),
		Missing: e.truth("missing"), None: e.truth("none"), Protocol: e.text("protocol"), At: e.text("at"), Addresses: e.texts("addresses"),
	}
}
