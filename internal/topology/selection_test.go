package topology

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"testing"

	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
)

// given gives the ARN's last part of what the first listener gives a client of name.
func given(s *scene, name string) (string, bool) {
	a, known := s.build().Listeners[0].Select(name)
	if a == nil {
		return "", known
	}
	return a.ARN[len(arnOf("")):], known
}

func TestSelectionOfAnALB(t *testing.T) {
	s := newScene(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	slow, err := s.Root().LeafWithKey(noon, []string{"both.example.org"}, key)
	if err != nil {
		t.Fatal(err)
	}
	s.ALB("web", s.ACM("default", s.Leaf("both.example.org", "default.example.org")),
		s.ACM("rsa", slow), s.ACM("ecdsa", s.Leaf("both.example.org")), s.ACM("wild", s.Leaf("*.wild.example.org")),
		s.ACM("ended", s.LeafUntil(noon.AddDate(0, 0, -1), "dates.example.org")),
		s.ACM("short", s.Leaf("dates.example.org")), s.ACM("long", s.LeafUntil(noon.AddDate(0, 0, 80), "dates.example.org")))
	for name, want := range map[string]string{
		"both.example.org":     "ecdsa",   // ECDSA before RSA; the default only where none of the list matches
		"default.example.org":  "default", // none of the list matches
		"x.wild.example.org":   "wild",
		"x.y.wild.example.org": "default",
		"dates.example.org":    "long", // unexpired first, then the longest
		"192.0.2.1":            "default",
	} {
		if got, known := given(s, name); got != want || !known {
			t.Errorf("%s gets %s (known %v), want %s", name, got, known, want)
		}
	}
}

func TestSelectionIsNotKnownWhereSomethingIsUnread(t *testing.T) {
	s := newScene(t)
	lb := s.ALB("web", s.ACM("default", s.Leaf(host)), arnOf("unread"))
	if got, known := given(s, host); got != "default" || known {
		t.Errorf("%s, known %v: the unread one may match", got, known)
	}
	lb.Listeners[0].Certificates = attach(arnOf("default"))
	if _, known := given(s, host); !known {
		t.Error("a lone default is what everybody gets")
	}
	lb.Partial = true
	if _, known := given(s, host); known {
		t.Error("of a partial listener nothing is known")
	}
	lb.Kind = observation.Classic
	if _, known := given(s, host); !known {
		t.Error("a classic listener has just the one")
	}
}

func TestSelectionTakesTheDefaultThatIsListedTwiceOnce(t *testing.T) {
	s := newScene(t)
	lb := s.ALB("web", s.ACM("a", s.Leaf(host)))
	lb.Listeners[0].Certificates = append(lb.Listeners[0].Certificates, observation.Attachment{ARN: arnOf("a")})
	if m := s.build(); len(m.Listeners[0].Attached) != 1 {
		t.Errorf("%d attached", len(m.Listeners[0].Attached))
	}
	if got, known := given(s, host); got != "a" || !known {
		t.Errorf("%s, known %v", got, known)
	}
}

func TestPreferHashAndKey(t *testing.T) {
	s := newScene(t)
	make := func(bits int, hash x509.SignatureAlgorithm) *Attachment {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.Root().LeafWithKey(noon, []string{host}, key, func(c *x509.Certificate) { c.SignatureAlgorithm = hash }, pki.Valid(noon, noon.AddDate(0, 0, 9)))
		if err != nil {
			t.Fatal(err)
		}
		return &Attachment{Certificate: &Certificate{Leaf: p.Certificate}}
	}
	small, large, strong := make(2048, x509.ECDSAWithSHA256), make(3072, x509.ECDSAWithSHA256), make(2048, x509.ECDSAWithSHA384)
	if prefer(large, small, noon) >= 0 || prefer(strong, large, noon) >= 0 || prefer(small, strong, noon) <= 0 {
		t.Error("the order is hash, then key length")
	}
}
