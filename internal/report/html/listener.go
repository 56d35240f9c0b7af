package html

import (
	"certdrift/internal/prose"
	"certdrift/internal/report"
	"certdrift/internal/report/comparison"
)

// listenerView is one listener.
type listenerView struct {
	Name, Kind, Place, Protocol, Policy, MutualTLS string
	State                                          sign
	Certificates                                   []comparison.Value
	Endpoints                                      string
	Findings                                       []link
}

func (b builder) listeners() []listenerView {
	var out []listenerView
	for _, l := range b.Listeners {
		v := listenerView{
			Name: comparison.Clean(l.Listener), Kind: string(l.Kind), Place: comparison.Clean(l.Region + " " + l.Account), Protocol: comparison.Clean(l.Protocol), Policy: comparison.Clean(l.Policy),
			MutualTLS: mutual(l),
			State:     stateSign(l.State), Endpoints: users(l.Endpoints, fewUsers), Findings: b.links(l.Findings()),
		}
		for i := range l.Certificates {
			v.Certificates = append(v.Certificates, attachedNote(l.Certificates[i]))
		}
		out = append(out, v)
	}
	return out
}

// mutual is what a listener does about client certificates; empty where it asks for none, as nearly all do.
func mutual(l report.Listener) string {
	if l.MutualTLS == "off" {
		return ""
	}
	return comparison.Clean(l.MutualTLS)
}

func attachedNote(a report.Attached) comparison.Value {
	v := comparison.Value{Main: comparison.ShortARN(a.ARN)}
	if a.Missing {
		v.Notes, v.Differs = append(v.Notes, "gone"), true
	}
	if a.NotAfter != nil {
		v.Notes = append(v.Notes, "until "+prose.Day(*a.NotAfter))
	}
	if len(a.Names) > 0 {
		v.Notes = append(v.Notes, users(a.Names, fewUsers))
	}
	if !a.Default {
		v.Notes = append(v.Notes, "by SNI")
	}
	return v
}
