package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

func TestListenerPlaintextOfALBs(t *testing.T) {
	redirect := observation.ListenerRule{Priority: "default", Action: "redirect", RedirectProtocol: "HTTPS"}
	for _, c := range []struct {
		name  string
		rules []observation.ListenerRule
		want  bool
	}{
		{"not read", nil, false},
		{"redirects", []observation.ListenerRule{redirect}, false},
		{"forwards", []observation.ListenerRule{{Priority: "default", Action: "forward"}}, true},
		{"one rule forwards", []observation.ListenerRule{redirect, {Priority: "10", Action: "forward"}}, true},
		{"redirects to itself", []observation.ListenerRule{{Priority: "default", Action: "redirect", RedirectProtocol: "#{protocol}"}}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			leaf := s.Leaf(host)
			lb := s.ALB("web", s.ACM("a", leaf))
			lb.Listeners = append(lb.Listeners, observation.Listener{Port: 80, Protocol: "HTTP", Rules: c.rules})
			behind(s.HTTPS("api", host, ok("10.0.0.1", leaf)), "web", arnOf("a"))
			if !c.want {
				s.only()
				return
			}
			s.only(finding.ListenerPlaintext)
			if f := s.one(finding.ListenerPlaintext, finding.Warning); f.Listener != "web:80" {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestListenerPlaintextOfClassicOnes(t *testing.T) {
	s := newScene(t)
	leaf := s.Leaf(host)
	lb := s.Classic("a1", s.ACM("a", leaf))
	lb.Listeners = append(lb.Listeners, observation.Listener{Port: 80, Protocol: "TCP"})
	behind(s.HTTPS("api", host, ok("10.0.0.1", leaf)), "a1", arnOf("a"))
	s.one(finding.ListenerPlaintext, finding.Info)
	answer := observation.Address{Address: "10.0.0.1:80", HTTP: &observation.HTTP{Status: 200}}
	e := behind(s.HTTPS("plain", host, answer), "a1", "")
	e.Target.Kind, e.Target.Port, e.Target.LoadBalancer.Port, e.Target.URL = target.HTTP, 80, 80, "http://"+host+"/"
	s.one(finding.ListenerPlaintext, finding.Warning)
	answer.HTTP.Status, answer.HTTP.Location = 301, "https://"+host+"/"
	e.Target.Expect.Status = []int{301}
	s.only()
}
