package report

import (
	"math"
	"slices"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

// textLimit is how many characters of one remote text a document shows.
const textLimit = 500

// Input is what a report is made of.
type Input struct {
	Round      observation.Round
	Conclusion finding.Conclusion
	// FailOn is the severity from which findings fail the report; finding.None for never.
	FailOn finding.Severity
	// At is the time the round was judged by, where it is not the round's own end (a replay).
	At time.Time
}

// Build makes the report of a round.
func Build(in Input) Report {
	r := Report{
		Schema: Schema, Started: in.Round.Started.UTC(), Finished: in.Round.Finished.UTC(),
		Endpoints: []Endpoint{}, Listeners: []Listener{}, Findings: []finding.Finding{},
		At: in.At.UTC(), FailOn: in.FailOn, Complete: in.Conclusion.Complete,
	}
	if in.At.IsZero() {
		r.At = r.Finished
	}
	for _, f := range in.Conclusion.Findings {
		if f.Evidence == nil {
			f.Evidence = finding.Evidence{}
		}
		f.Summary = finding.Clean(f.Summary, lineLimit)
		r.Findings = append(r.Findings, f)
	}
	finding.Sort(r.Findings)
	r.Verdict = verdict(r)

	t := topology.Build(in.Round, r.At) // not the judge's: the caller may have left some environments out since
	by := index(r.Findings)
	for _, e := range t.Endpoints {
		r.Endpoints = append(r.Endpoints, endpoint(e, by.endpoints[e.Target.Key()], r.At))
	}
	r.Endpoints = append(r.Endpoints, leftOut(in.Round, by)...)
	r.Listeners = append(r.Listeners, listeners(t, by)...)
	return r
}

func verdict(r Report) Verdict {
	switch {
	case r.FailOn != finding.None && finding.Worst(r.Findings) >= r.FailOn:
		return Fail
	case !r.Complete || slices.ContainsFunc(r.Findings, misconfigured):
		return Incomplete // what the configuration gets wrong was not checked
	}
	return Pass
}

// leftOut are the endpoints that an error in the configuration kept out of the round. They were not checked, and a count
// without them would hide that.
func leftOut(round observation.Round, by byPlace) []Endpoint {
	seen := map[string]bool{}
	for _, e := range round.Endpoints {
		seen[e.Target.Key()] = true
	}
	var out []Endpoint
	for _, f := range round.Diagnostics {
		key := f.Environment + "/" + f.Endpoint
		if f.Endpoint == "" || seen[key] {
			continue
		}
		seen[key] = true
		out = append(out, Endpoint{
			Environment: f.Environment, Name: f.Endpoint, State: Unknown, Source: f.Position,
			DNS: DNS{Addresses: []string{}}, Addresses: []Address{}, findings: by.endpoints[key],
		})
	}
	return out
}

func endpoint(e *topology.Endpoint, fs []finding.Finding, at time.Time) Endpoint {
	compared := e.Compare()
	out := Endpoint{
		Environment: e.Target.Environment, Name: e.Target.Name, URL: finding.Clean(e.Target.URL, textLimit),
		Declared: e.Target.Declared, Comparison: comparisonOf(compared), Kind: e.Target.Kind, Source: e.Target.Source,
		DNS: DNS{
			CanonicalName: finding.Clean(e.DNS.CanonicalName, textLimit),
			Addresses:     append([]string{}, e.DNS.Addresses...), Failure: failure(e.DNS.Failure),
		},
		Addresses: addresses(e.Addresses, at), findings: fs, compared: compared,
	}
	if e.Listener != nil {
		out.Listener = e.Listener.Label()
	}
	out.State = state(fs, e.Probed)
	return out
}

func state(fs []finding.Finding, seen bool) State {
	switch worst := finding.Worst(fs); {
	case worst == finding.Critical:
		return Critical
	case !seen:
		return Unknown
	case worst == finding.Warning:
		return Warning
	}
	return OK
}

func addresses(observed []observation.Address, at time.Time) []Address {
	out := []Address{}
	for _, a := range observed {
		p := Address{
			Address: finding.Clean(a.Address, textLimit), Started: a.Started.UTC(), Phases: phases(a.Phases),
			Failure: failure(a.Failure), Chain: []Certificate{},
			Revocation: []Revocation{}, Other: other(a.Other, at), Withheld: finding.Clean(a.Withheld, textLimit),
		}
		if t := a.TLS; t != nil {
			p.Protocol = &Protocol{Version: t.Version, Cipher: t.Cipher, ALPN: finding.Clean(t.ALPN, textLimit)}
			p.Chain, p.ChainLength = certificates(t), len(t.Chain)
			p.Revocation = revocations(t.Revocation, at)
		}
		if h := a.HTTP; h != nil {
			p.HTTP = &HTTP{
				Proto: finding.Clean(h.Proto, textLimit), Status: h.Status, Size: h.Size,
				Location: finding.Clean(h.Location, textLimit), Hops: hops(h.Hops, at),
			}
		}
		out = append(out, p)
	}
	return out
}

func other(o *observation.OtherCertificate, at time.Time) *Other {
	if o == nil {
		return nil
	}
	out := &Other{KeyType: o.KeyType, Absent: o.Absent, Fallback: o.Fallback, Failure: failure(o.Failure), KeyProven: o.KeyProven}
	if t := o.TLS; t != nil {
		out.Protocol = &Protocol{Version: t.Version, Cipher: t.Cipher}
		out.Chain, out.ChainLength = certificates(t), len(t.Chain)
		out.Revocation = revocations(t.Revocation, at)
	}
	return out
}

func hops(observed []observation.Hop, at time.Time) []Hop {
	out := []Hop{}
	for _, h := range observed {
		out = append(out, Hop{
			URL: finding.Clean(h.URL, textLimit), Blocked: finding.Clean(h.Blocked, textLimit), Addresses: addresses(h.Addresses, at),
		})
	}
	return out
}

func failure(f *observation.Failure) *Failure {
	if f == nil {
		return nil
	}
	return &Failure{
		Phase: f.Phase, Kind: f.Kind,
		Alert: finding.Clean(f.Alert, textLimit), Detail: finding.Clean(f.Detail, textLimit),
	}
}

func phases(p observation.Phases) Phases {
	return Phases{
		DNS: ms(p.DNS), Connect: ms(p.Connect), StartTLS: ms(p.StartTLS),
		TLS: ms(p.TLS), FirstByte: ms(p.FirstByte), Total: ms(p.Total),
	}
}

// ms returns milliseconds to the microsecond.
func ms(d time.Duration) float64 { return math.Round(float64(d)/1e3) / 1e3 }

// byPlace holds the findings of each endpoint (ENVIRONMENT/NAME) and each listener (NAME:PORT), worst first.
type byPlace struct {
	endpoints map[string][]finding.Finding
	listeners map[string][]finding.Finding
}

// index sorts findings to what they concern. A finding counts for every endpoint that it affects; for a listener's own
// state only what is about the listener counts, or about what it serves.
func index(fs []finding.Finding) byPlace {
	by := byPlace{map[string][]finding.Finding{}, map[string][]finding.Finding{}}
	for _, f := range fs {
		if f.Listener != "" {
			by.listeners[f.Listener] = append(by.listeners[f.Listener], f)
		}
		for _, key := range f.Endpoints() {
			by.endpoints[key] = append(by.endpoints[key], f)
		}
	}
	return by
}
