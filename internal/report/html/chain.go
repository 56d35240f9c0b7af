package html

import (
	"slices"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/prose"
	"certdrift/internal/report"
	"certdrift/internal/report/comparison"
)

// chainView is one chain as served, with those that serve it.
type chainView struct {
	Users    string
	Sign     sign
	Links    []certView
	Findings []link
	worst    report.State
}

// certView is one certificate of a chain as a box. Joint is what leads to the box from the one before.
type certView struct {
	Role    string
	Name    string
	Lines   []string
	Names   string
	Class   string
	Joint   string
	Broken  bool // the box is not the issuer of the one before
	Missing bool // the certificate was not sent
}

// soon is when a box says how long its certificate has left.
const soon = 30 * 24 * time.Hour

// shownChains is how many chains without problems stand open.
const shownChains = 6

// served is a chain as served. Those for clients that support only one type of key name it.
type served struct {
	keyType string
	chain   []report.Certificate
	length  int // of what was sent
}

// use is a chain with the endpoints that serve it.
type use struct {
	served
	endpoints []report.Endpoint
}

// chains are the distinct chains served, the worst first; many that are fine are folded.
func (b builder) chains() (open, folded []chainView) {
	uses := map[string]*use{}
	var order []string
	add := func(c served, e report.Endpoint) {
		if len(c.chain) == 0 {
			return
		}
		key := c.keyType + " " + chainKey(c.chain)
		u := uses[key]
		if u == nil {
			u = &use{served: c}
			uses[key] = u
			order = append(order, key)
		}
		if n := len(u.endpoints); n == 0 || comparison.Name(u.endpoints[n-1]) != comparison.Name(e) {
			u.endpoints = append(u.endpoints, e)
		}
	}
	for _, e := range b.Endpoints {
		for _, a := range e.Addresses {
			add(served{chain: a.Chain, length: a.ChainLength}, e)
			if o := a.Other; o.Second() {
				add(served{string(o.KeyType), o.Chain, o.ChainLength}, e)
			}
		}
	}
	for _, key := range order {
		open = append(open, b.chain(uses[key].served, uses[key].endpoints))
	}
	slices.SortStableFunc(open, func(x, y chainView) int { return worse(x.worst, y.worst) })
	healthy := slices.IndexFunc(open, func(c chainView) bool { return c.worst == report.OK })
	if healthy >= 0 && len(open)-healthy > shownChains {
		open, folded = open[:healthy], open[healthy:]
	}
	return open, folded
}

func chainKey(chain []report.Certificate) string {
	var prints []string
	for _, c := range chain {
		prints = append(prints, c.FingerprintSHA256)
	}
	return strings.Join(prints, " ")
}

func (b builder) chain(c served, endpoints []report.Endpoint) chainView {
	var names []string
	var about []finding.Finding
	for _, e := range endpoints {
		names = append(names, comparison.Name(e))
		for _, f := range e.Findings() {
			if c.concerns(e, f) && !slices.ContainsFunc(about, func(g finding.Finding) bool { return identity(f) == identity(g) }) {
				about = append(about, f)
			}
		}
	}
	finding.Sort(about)
	v := chainView{Users: users(names, fewUsers), Findings: b.links(about), worst: report.OK}
	if c.keyType != "" {
		v.Users += ", to clients that support only " + comparison.Clean(c.keyType)
	}
	switch finding.Worst(about) {
	case finding.Critical:
		v.worst = report.Critical
	case finding.Warning:
		v.worst = report.Warning
	}
	v.Sign = stateSign(v.worst)
	for i, certificate := range c.chain {
		box := b.box(certificate, i)
		if worst := finding.Worst(leafFindings(about)); i == 0 && worst > finding.Info {
			box.Class = severitySign(worst).Class
		}
		if i > 0 {
			box.Broken = c.chain[i-1].Issuer != certificate.Subject
			box.Joint = joint(box.Broken)
		}
		v.Links = append(v.Links, box)
	}
	return v.end(c, about)
}

// concerns reports whether a finding on an endpoint is about the chain: about certificates as served, of the certificate of this type of
// key, or a drift that says that clients reject it for its names.
func (c served) concerns(e report.Endpoint, f finding.Finding) bool {
	if f.Code.Class() == finding.ClassCertificate || f.Code == finding.AddressInconsistent {
		return !f.Subject.Other && c.keyType == "" || f.Subject.Other && c.keyType == f.Subject.KeyType
	}
	mismatches, _ := f.Evidence["name_mismatches"].([]string)
	return c.keyType == "" && slices.ContainsFunc(mismatches, func(m string) bool {
		rest, found := strings.CutPrefix(m, e.Environment+"/"+e.Name)
		return found && (strings.HasPrefix(rest, ": ") || strings.HasPrefix(rest, " at "))
	})
}

// end adds what the server did not send.
func (v chainView) end(c served, about []finding.Finding) chainView {
	if more := c.length - len(c.chain); more > 0 {
		v.Links = append(v.Links, certView{Role: "not shown", Name: "and more certificates", Class: "unknown", Joint: "then", Missing: true})
		return v
	}
	last := c.chain[len(c.chain)-1]
	if last.Malformed != "" || last.Issuer == last.Subject {
		return v
	}
	box := certView{Role: "not sent", Name: comparison.CommonName(last.Issuer), Joint: joint(false), Missing: true, Class: "unknown", Lines: []string{"clients must have it in their trust store"}}
	for _, f := range about {
		switch f.Code {
		case finding.CertUntrusted, finding.CertChainIncomplete:
			box.Class, box.Lines = severitySign(f.Severity).Class, []string{"no trusted issuer has this name"}
			if f.Code == finding.CertChainIncomplete {
				box.Lines = []string{"not sent by the server, and many clients can't find it"}
			}
		}
	}
	v.Links = append(v.Links, box)
	return v
}

func joint(broken bool) string {
	if broken {
		return "not issued by"
	}
	return "issued by"
}

// leafFindings leaves out what is wrong above the leaf.
func leafFindings(about []finding.Finding) []finding.Finding {
	return slices.DeleteFunc(slices.Clone(about), func(f finding.Finding) bool {
		switch f.Code {
		case finding.CertUntrusted, finding.CertChainIncomplete, finding.CertChainExpired, finding.CertChainOversized:
			return true
		}
		return false
	})
}

func (b builder) box(c report.Certificate, i int) certView {
	v := certView{Name: comparison.Title(c), Class: "ok", Role: "issuer"}
	switch {
	case i == 0:
		v.Role = "leaf"
	case c.Subject == c.Issuer && c.Malformed == "":
		v.Role = "root"
	}
	if c.Malformed != "" {
		v.Class, v.Lines = "critical", []string{c.Malformed}
		return v
	}
	v.Lines = []string{c.Key + ", " + c.Signature, prose.Day(c.NotBefore) + " to " + prose.Day(c.NotAfter), "SHA-256 " + comparison.Short(c.FingerprintSHA256)}
	switch {
	case b.At.After(c.NotAfter):
		v.Class = "critical"
		v.Lines = append(v.Lines, b.left(c.NotAfter, finding.None).Text)
	case b.At.Before(c.NotBefore):
		v.Class = "critical"
		v.Lines = append(v.Lines, "not valid yet")
	case c.NotAfter.Sub(b.At) < soon:
		v.Lines = append(v.Lines, report.LeftText(c.NotAfter.Sub(b.At)))
	}
	if i == 0 {
		v.Names = users(c.Names, fewUsers)
	}
	return v
}
