package probe

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
)

// pair is an ECDSA and an RSA certificate for site.test and loopback.
func pair(t testing.TB, change ...pki.Option) (ecdsa, rsa tls.Certificate) {
	t.Helper()
	_, ca := authority(t)
	names := []string{"site.test", "127.0.0.1"}
	return must(t)(ca.Leaf(time.Now(), names, change...)).TLS(), must(t)(ca.LeafWithKey(time.Now(), names, certtest.RSAKey(t, 2048), change...)).TLS()
}

// named makes an endpoint one of site.test at an address.
func named(e *target.Endpoint) {
	address := net.JoinHostPort(e.Host, fmt.Sprint(e.Port))
	e.Host, e.URL, e.ConnectTo = "site.test", string(e.Kind)+"://site.test/", []string{address}
}

// TestOther: whichever certificate of a pair the first handshake shows, the other one is seen, with its chain and OCSP response, in every
// version and group; nothing is seen where there is none.
func TestOther(t *testing.T) {
	ec, rsa := pair(t)
	ec.OCSPStaple, rsa.OCSPStaple = []byte("ECDSA's"), []byte("RSA's")
	both, reverse := []tls.Certificate{ec, rsa}, []tls.Certificate{rsa, ec}
	_, ca := authority(t)
	long := must(t)(ca.Leaf(time.Now(), []string{"site.test"})).TLS()
	for range 40 { // more than a record holds
		long.Certificate = append(long.Certificate, ca.Certificate.Raw)
	}
	p521 := []tls.CurveID{tls.CurveP521}
	for name, c := range map[string]struct {
		certificates []tls.Certificate
		version      uint16 // at most
		groups       []tls.CurveID
		change       func(*tls.Config)
		want         *tls.Certificate // nil: there is none
	}{
		"TLS 1.3, RSA is other":                  {both, tls.VersionTLS13, nil, nil, &rsa},
		"TLS 1.3, ECDSA is other":                {reverse, tls.VersionTLS13, nil, nil, &ec},
		"TLS 1.3 without post-quantum":           {reverse, tls.VersionTLS13, []tls.CurveID{tls.X25519}, nil, &ec},
		"TLS 1.3 on P-256":                       {reverse, tls.VersionTLS13, []tls.CurveID{tls.CurveP256}, nil, &ec},
		"TLS 1.3 on P-384, a HelloRetryRequest":  {reverse, tls.VersionTLS13, []tls.CurveID{tls.CurveP384}, nil, &ec},
		"TLS 1.3 on P-521":                       {reverse, tls.VersionTLS13, p521, nil, &ec},
		"TLS 1.3, a long chain":                  {[]tls.Certificate{rsa, long}, tls.VersionTLS13, nil, nil, &long},
		"TLS 1.3, a client certificate is asked": {reverse, tls.VersionTLS13, nil, demanding, &ec},
		"TLS 1.2, RSA is other":                  {both, tls.VersionTLS12, nil, nil, &rsa},
		"TLS 1.2, ECDSA is other":                {reverse, tls.VersionTLS12, nil, nil, &ec},
		"TLS 1.2, a long chain":                  {[]tls.Certificate{rsa, long}, tls.VersionTLS12, nil, nil, &long},
		"TLS 1.2, a client certificate is asked": {reverse, tls.VersionTLS12, nil, demanding, &ec},
		"TLS 1.0":                                {reverse, tls.VersionTLS10, nil, nil, &ec},
		"TLS 1.2, RSA by a legacy suite alone": {both, tls.VersionTLS12, nil, func(c *tls.Config) {
			c.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_128_CBC_SHA}
		}, &rsa},
		"TLS 1.3, RSA alone":   {reverse[:1], tls.VersionTLS13, nil, nil, nil},
		"TLS 1.3, ECDSA alone": {both[:1], tls.VersionTLS13, nil, nil, nil},
		"TLS 1.2, RSA alone":   {reverse[:1], tls.VersionTLS12, nil, nil, nil},
		"TLS 1.2, ECDSA alone": {both[:1], tls.VersionTLS12, nil, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			config := &tls.Config{Certificates: c.certificates, CurvePreferences: c.groups, MinVersion: c.version, MaxVersion: c.version}
			if c.change != nil {
				c.change(config)
			}
			a := one(t, observe(t, at(t, target.TLS, certtest.ServeTLS(t, "127.0.0.1", config, nil), named)))
			switch other := a.Other; {
			case other == nil || other.Absent != (c.want == nil) || (other.TLS != nil) != (c.want != nil):
				t.Fatalf("got %+v", other)
			case c.want == nil:
			case other.KeyProven == strings.HasPrefix(other.TLS.Cipher, "TLS_RSA_") || other.KeyProven == (other.Failure != nil):
				t.Errorf("key proven %v, %+v", other.KeyProven, other.Failure)
			case !slices.EqualFunc(other.TLS.Chain, c.want.Certificate, bytes.Equal):
				t.Errorf("got another chain, of %d certificates", len(other.TLS.Chain))
			case other.TLS.Version != tls.VersionName(c.version) || other.Fallback:
				t.Errorf("got %+v", other)
			case c.want.OCSPStaple != nil && len(other.TLS.Revocation) != 1:
				t.Errorf("revocation %+v", other.TLS.Revocation)
			}
		})
	}
}

func demanding(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }

// TestOtherOverSTARTTLS: the server is asked behind the same exchange.
func TestOtherOverSTARTTLS(t *testing.T) {
	ec, rsa := pair(t)
	config := &tls.Config{Certificates: []tls.Certificate{rsa, ec}}
	a := observeServer(t, target.SMTP, smtp(func(conn net.Conn) { _ = tls.Server(conn, config).Handshake() }), false)
	if a.Other == nil || a.Other.TLS == nil || !bytes.Equal(a.Other.TLS.Chain[0], ec.Certificate[0]) {
		t.Errorf("got %+v", a.Other)
	}
}

// TestOtherUnknown: a server that does not answer the question, or not in TLS, has neither another certificate nor none, and loses
// nothing of what it showed first.
func TestOtherUnknown(t *testing.T) {
	config := serving(t)
	for name, c := range map[string]struct {
		second func(net.Conn)
		waits  bool
		kind   observation.FailureKind
	}{
		"silence":               {certtest.Silent, true, observation.TimedOut},
		"a reset":               {certtest.Reset, false, observation.Reset},
		"an end":                {certtest.HangUp, false, observation.Closed},
		"no TLS":                {certtest.Say("HTTP/1.1 400 Bad Request\r\n\r\n"), false, observation.HandshakeFailed},
		"an alert of its own":   {alerts("\x15\x03\x03\x00\x02\x02\x50"), false, observation.Alert},
		"a malformed alert":     {alerts("\x15\x03\x03\x00\x01\x02"), false, observation.HandshakeFailed},
		"a record that is long": {alerts("\x16\x03\x03\xff\xff"), false, observation.HandshakeFailed},
		"a message that never ends": {func(conn net.Conn) {
			_, _ = conn.Write([]byte("\x16\x03\x03\x00\x04\x02\xff\xff\xff"))
			certtest.Flood(conn, []byte("\x16\x03\x03\x00\x04aaaa"))
		}, false, observation.Closed},
		"a HelloRetryRequest": {alerts("\x16\x03\x03\x00\x2e\x02\x00\x00\x2a\x03\x03" + retry + "\x00\x13\x01\x00\x00\x02\x00\x33\x00\x02\x00\x17"), false, observation.HandshakeFailed},
	} {
		t.Run(name, func(t *testing.T) {
			var met atomic.Int32
			a := observeServer(t, target.TLS, func(conn net.Conn) {
				if met.Add(1) == 1 {
					_ = tls.Server(conn, config).Handshake()
					return
				}
				c.second(conn)
			}, c.waits)
			healthy(t, a)
			if a.TLS == nil || len(a.TLS.Chain) == 0 {
				t.Errorf("lost what the first handshake showed: %+v", a.TLS)
			}
			if a.Other == nil || a.Other.Absent || a.Other.TLS != nil || a.Other.Failure == nil || a.Other.Failure.Kind != c.kind {
				t.Errorf("got %+v", a.Other)
				if a.Other != nil {
					t.Errorf("%+v", a.Other.Failure)
				}
			}
		})
	}
}

// retry is the random of a HelloRetryRequest (RFC 8446 §4.1.3).
const retry = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"

// TestOtherAfterAWarning: servers may send a warning before their hello, such as that they have no certificate for the name.
func TestOtherAfterAWarning(t *testing.T) {
	ec, rsa := pair(t)
	config := &tls.Config{Certificates: []tls.Certificate{rsa, ec}, MaxVersion: tls.VersionTLS12}
	a := observeServer(t, target.TLS, func(conn net.Conn) {
		_, _ = io.WriteString(conn, "\x15\x03\x03\x00\x02\x01\x70")
		_ = tls.Server(conn, config).Handshake()
	}, false)
	if a.Other == nil || a.Other.TLS == nil {
		t.Errorf("got %+v", a.Other)
	}
}

// TestOtherThatIsTheDefault: a server that goes by the name first, and by the type of key second, has a default certificate for what fits
// neither. It is not a second one for the name.
func TestOtherThatIsTheDefault(t *testing.T) {
	_, ca := authority(t)
	foreign := must(t)(ca.LeafWithKey(time.Now(), []string{"default.test"}, certtest.RSAKey(t, 2048))).TLS()
	foreignEC := must(t)(ca.Leaf(time.Now(), []string{"default.test"})).TLS()
	ec, _ := pair(t)
	defaults := func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		any := *hello
		any.ServerName = ""
		switch ecdsa := any.SupportsCertificate(&ec) == nil; {
		case ecdsa && hello.ServerName != "":
			return &ec, nil
		case ecdsa:
			return &foreignEC, nil
		}
		return &foreign, nil
	}
	strict := func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if hello.ServerName == "" {
			return nil, errors.New("no name")
		}
		return nil, nil //nolint:nilnil // the configuration as it stands
	}
	byKey := func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if hello.SupportsCertificate(&ec) == nil || hello.ServerName == "" {
			return &ec, nil
		}
		return &foreign, nil
	}
	for name, c := range map[string]struct {
		config   *tls.Config
		fallback bool
	}{
		"the default":                         {&tls.Config{Certificates: []tls.Certificate{foreign, ec}}, true},
		"one of a pair of defaults":           {&tls.Config{GetCertificate: defaults}, true},
		"a foreign one for clients of RSA":    {&tls.Config{GetCertificate: byKey}, false},
		"and none for clients without a name": {&tls.Config{Certificates: []tls.Certificate{foreign, ec}, GetConfigForClient: strict}, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := one(t, observe(t, at(t, target.TLS, certtest.ServeTLS(t, "127.0.0.1", c.config, nil), named)))
			if a.Other == nil || a.Other.TLS == nil || a.Other.Fallback != c.fallback {
				t.Errorf("got %+v", a.Other)
			}
		})
	}
}

// TestOtherOfManySilentServers: hundreds that do not answer the question are not all waited for. The clock is fake.
func TestOtherOfManySilentServers(t *testing.T) {
	config := serving(t)
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		network := pipes{}
		var endpoints []target.Endpoint
		for i := range 300 {
			var met atomic.Int32
			address := fmt.Sprintf("127.0.0.1:%d", 1000+i)
			network[address] = func(conn net.Conn) {
				if met.Add(1) == 1 {
					_ = tls.Server(conn, config).Handshake()
					return
				}
				asked.Add(1)
				certtest.Silent(conn)
			}
			endpoints = append(endpoints, at(t, target.TLS, address, func(e *target.Endpoint) { e.Name = fmt.Sprint(i) }))
		}
		begin := time.Now()
		for _, e := range New(Options{Now: time.Now, Dialer: network.dial}).Probe(t.Context(), endpoints) {
			if a := one(t, e); a.Failure != nil || a.Other == nil || a.Other.Failure == nil {
				t.Fatalf("got %+v, %+v", a.Failure, a.Other)
			}
		}
		if took := time.Since(begin); took > 3*diagnoseTimeout || asked.Load() > 2*maxFruitlessLooks {
			t.Errorf("%d were asked, in %s", asked.Load(), took)
		}
		time.Sleep(time.Second)
	})
}

// TestOtherWhenTheRoundEnds: the first result stays where the round ends during the question. No question is asked in the second half of a
// round, which says so unless the endpoint has another turn.
func TestOtherWhenTheRoundEnds(t *testing.T) {
	config := serving(t)
	synctest.Test(t, func(t *testing.T) {
		var met, slow atomic.Int32
		network := pipes{"1000": func(conn net.Conn) {
			if met.Add(1) == 1 {
				_ = tls.Server(conn, config).Handshake()
				return
			}
			certtest.Silent(conn)
		}, "1001": func(conn net.Conn) {
			slow.Add(1)
			time.Sleep(3 * time.Second)
			_ = tls.Server(conn, config).Handshake()
		}}
		for _, c := range []struct {
			port    string
			every   time.Duration
			unknown bool
		}{{"1000", 0, true}, {"1001", 0, true}, {"1001", time.Hour, false}} {
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
			e := New(Options{Now: time.Now, Dialer: network.dial}).Probe(ctx, []target.Endpoint{
				at(t, target.TLS, "127.0.0.1:"+c.port, func(e *target.Endpoint) { e.OtherEvery = c.every }),
			})[0]
			a := one(t, e)
			healthy(t, a)
			if (a.Other != nil) != c.unknown || c.unknown && (a.Other.Failure == nil || a.Other.Absent) {
				t.Errorf("%s: got %+v", c.port, a.Other)
			}
			cancel()
		}
		if met := slow.Load(); met != 2 {
			t.Errorf("the slow server met %d connections", met)
		}
		time.Sleep(time.Second)
	})
}

// TestOtherTurns: a server without another certificate is asked in its turn, one with a pair in every round, and any server as soon as it
// shows a new certificate or as the round wants it.
func TestOtherTurns(t *testing.T) {
	ec, rsa := pair(t)
	renewed, _ := pair(t)
	const every = time.Hour
	for name, c := range map[string]struct {
		certificates []tls.Certificate
		every        time.Duration
		after        time.Duration
		then         []tls.Certificate
		want         bool
	}{
		"soon":                          {[]tls.Certificate{ec}, every, every / 2, nil, false},
		"in its turn":                   {[]tls.Certificate{ec}, every, every, nil, true},
		"where the round wants it":      {[]tls.Certificate{ec}, 0, time.Minute, nil, true},
		"where it shows another":        {[]tls.Certificate{ec}, every, time.Minute, []tls.Certificate{renewed}, true},
		"where it has two":              {[]tls.Certificate{ec, rsa}, every, time.Minute, nil, true},
		"where the clock was put back":  {[]tls.Certificate{ec}, every, -time.Minute, nil, true},
		"where its second one is added": {[]tls.Certificate{ec}, every, every, []tls.Certificate{ec, rsa}, true},
	} {
		t.Run(name, func(t *testing.T) {
			serve := &atomic.Pointer[tls.Config]{}
			serve.Store(&tls.Config{Certificates: c.certificates})
			address := certtest.ServeTLS(t, "127.0.0.1", &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return serve.Load(), nil }}, nil)
			now := time.Now()
			p := New(Options{Now: func() time.Time { return now }})
			endpoints := []target.Endpoint{at(t, target.TLS, address, func(e *target.Endpoint) { e.OtherEvery = c.every })}
			if a := one(t, p.Probe(t.Context(), endpoints)[0]); a.Other == nil {
				t.Fatal("not asked in the first round")
			}
			if c.then != nil {
				serve.Store(&tls.Config{Certificates: c.then})
			}
			now = now.Add(c.after)
			if a := one(t, p.Probe(t.Context(), endpoints)[0]); (a.Other != nil) != c.want {
				t.Errorf("got %+v", a.Other)
			}
		})
	}
}

// TestOtherTurnsAreSpread: endpoints that were asked in one round are asked in many.
func TestOtherTurnsAreSpread(t *testing.T) {
	var o others
	now := time.Now()
	due := map[time.Duration]int{}
	for i := range 1000 {
		e := target.Endpoint{Name: fmt.Sprint(i), OtherEvery: time.Hour}
		o.asked(e, now, nil, nil)
		for age := time.Duration(0); ; age += 5 * time.Minute {
			if o.due(e, now.Add(age), nil, false) {
				due[age]++
				break
			}
		}
	}
	for age, n := range due {
		if age < 45*time.Minute || age > time.Hour || n > 500 {
			t.Errorf("%d of 1000 are due after %s", n, age)
		}
	}
}
