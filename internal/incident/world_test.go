package incident

import (
	"strings"
	"time"

	"certdrift/internal/finding"
)

// site is what is really so with one endpoint of the world; the rounds only see it.
type site struct {
	name    string
	balance bool // behind the load balancer
	cert    wear
	status  bool // answers with a wrong status
	timeout bool // cannot be reached
	half    bool // one of its addresses still serves a certificate that has expired
	removed bool // no more in the configuration
}

// wear is how near a certificate is to its end.
type wear int

const (
	fresh  wear = iota
	ageing      // cert-expiring, a warning
	dying       // cert-expiring, critical
	expired
)

// world is a small installation: endpoints, some of them behind one listener that may hold a wrong certificate.
type world struct {
	sites []site
	drift bool
}

// view is what a round looks at.
type view int

const (
	viewAll    view = iota
	viewProbes      // endpoints, no listener
	viewBehind      // an event named the load balancer: it, and what is behind it
)

// look makes a round's findings and coverage, as observing and judging would.
func (w *world) look(v view) ([]finding.Finding, Coverage) {
	c := Coverage{Configured: map[string]bool{}, Endpoints: map[string]Depth{}, Listeners: map[string]bool{}}
	c.Full, c.ListenersWhole = v == viewAll, v == viewAll
	var fs []finding.Finding
	if v != viewProbes {
		c.Listeners[ListenerKey("111122223333", "us-west-2", "lb:443")] = true
		if w.drift {
			f := drift()
			for _, s := range w.sites {
				if s.balance && !s.removed {
					f.Affects = append(f.Affects, "production/"+s.name)
				}
			}
			fs = append(fs, f)
		}
	}
	for _, s := range w.sites {
		if s.removed {
			continue
		}
		key := "production/" + s.name
		c.Configured[key] = true
		if v == viewBehind && !s.balance {
			continue
		}
		c.Endpoints[key] = Whole
		if s.timeout {
			c.Endpoints[key] = Asked
			fs = append(fs, found(finding.ConnectTimeout, finding.Critical, s.name, ""))
			continue
		}
		fs = append(fs, w.served(s, v)...)
	}
	return fs, c
}

// served is what a probe that gets through sees.
func (w *world) served(s site, v view) (fs []finding.Finding) {
	switch s.cert {
	case ageing:
		fs = append(fs, found(finding.CertExpiring, finding.Warning, s.name, "certificate:"+s.name))
	case dying:
		fs = append(fs, found(finding.CertExpiring, finding.Critical, s.name, "certificate:"+s.name))
	case expired:
		fs = append(fs, found(finding.CertExpired, finding.Critical, s.name, "certificate:"+s.name))
	}
	if s.half { // as judge finds it where one of several addresses lags behind
		fs = append(fs, found(finding.AddressInconsistent, finding.Warning, s.name, ""),
			found(finding.CertExpired, finding.Critical, s.name, "certificate:old-"+s.name))
	}
	if s.status {
		fs = append(fs, found(finding.HTTPStatus, finding.Critical, s.name, ""))
	}
	if w.drift && s.balance && v == viewProbes {
		f := found(finding.CertNameMismatch, finding.Critical, s.name, "host:"+s.name)
		f.Subject.Certificate = "aa"
		fs = append(fs, f)
	}
	return fs
}

// looks counts, from the world itself, how often in a row each fault was looked for in vain. It is the property tests'
// own idea of evidence.
type looks struct {
	clean map[spot]int
	last  map[spot]time.Time
}

// spot is where a fault is looked for: two certificates of an endpoint that have expired are two.
type spot struct {
	endpoint    string
	code        finding.Code
	certificate string
}

func spotOf(f finding.Finding) spot {
	s := spot{endpoint: f.Endpoint, code: f.Code}
	if strings.HasPrefix(f.Cause, "certificate:") {
		s.certificate = f.Cause
	}
	return s
}

// spots are where a site may have faults.
func (s site) spots() (all []spot) {
	for _, code := range []finding.Code{finding.ConnectTimeout, finding.CertNameMismatch, finding.HTTPStatus, finding.AddressInconsistent} {
		all = append(all, spot{endpoint: s.name, code: code})
	}
	for _, code := range []finding.Code{finding.CertExpired, finding.CertExpiring} {
		all = append(all, spot{s.name, code, "certificate:" + s.name}, spot{s.name, code, "certificate:old-" + s.name})
	}
	return all
}

func newLooks() *looks { return &looks{clean: map[spot]int{}, last: map[spot]time.Time{}} }

func (l *looks) note(w *world, v view, fs []finding.Finding, now time.Time, apart time.Duration) {
	there := map[spot]bool{}
	for _, f := range fs {
		there[spotOf(f)] = true
	}
	seen := func(s spot) {
		if now.Sub(l.last[s]) >= apart {
			l.clean[s]++
			l.last[s] = now
		}
	}
	for _, s := range w.sites {
		if s.removed || v == viewBehind && !s.balance || s.timeout {
			continue
		}
		for _, at := range s.spots() {
			hidden := at.code == finding.CertNameMismatch && w.drift && s.balance && v != viewProbes
			if !there[at] && !hidden {
				seen(at)
			}
		}
	}
	if v != viewProbes && !w.drift {
		seen(spot{code: finding.DriftAttached})
	}
	for s := range there { // the first clean look after it is one, however near an older one is
		delete(l.clean, s)
		delete(l.last, s)
	}
}
