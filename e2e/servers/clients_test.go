package servers

import (
	"context"
	"net"
	"net/url"
	"os"
	"slices"
	"testing"

	"certdrift/e2e/debian"
	"certdrift/internal/clients"
)

// TestBrowsers: what the browsers are asked through reaches the servers and gives them their roots: they accept a healthy server, and refuse
// one for each thing that depends on how they are asked (the name, the roots, the time), but
// not one whose page does not load after the handshake. `make accuracy` runs it before it asks them, and installs them by it.
func TestBrowsers(t *testing.T) {
	if os.Getenv("CERTDRIFT_BROWSERS") == "" {
		t.Skip("make accuracy runs browsers")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	dir := t.TempDir()
	debian.Install(t, Browsers())
	for _, prepare := range []preparing{preparedChromium, preparedFirefox} {
		p, err := prepare(ctx, dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { // before the directory goes
			cancel()
			p.Ended()
		})
		t.Run(p.Family, func(t *testing.T) {
			if p.Version == "" {
				t.Skip("not installed (on Debian: apt-get install chromium libnss3-tools firefox-esr)")
			}
			if clients.Family(p.Family) == "" {
				t.Errorf("%q is no family", p.Family)
			}
			for _, s := range []struct {
				server string
				want   Answered
			}{
				{"healthy", Accepts}, {"for another name", Refuses}, {"an unknown CA, root sent", Refuses}, {"expired yesterday", Refuses},
				{"204", Accepts}, {"h2: 204", Accepts}, {"a redirect to the own name in other letters", Accepts},
				{"redirects to itself until a cookie of a name and a value that are no tokens comes back", Accepts}, {"expired a minute ago", Refuses},
				{"an IPv6 address with its SAN", Accepts}, {"accepts and closes", Refuses}, {"HTTP/1.1 only", Accepts},
			} {
				if did := asked(t, p, s.server); did != s.want {
					t.Errorf("%s: %v, want %v", s.server, did, s.want)
				}
			}
		})
	}
}

// asked has a program connect to a case's server.
func asked(t *testing.T, p Program, server string) Answered {
	t.Helper()
	for _, c := range All() {
		if c.Name != server {
			continue
		}
		at := started(t, c)
		u, err := url.Parse(at.URL)
		if err != nil {
			t.Fatal(err)
		}
		address := u.Host
		if len(at.To) == 1 {
			address = at.To[0]
		}
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatal(err)
		}
		did, err := try(t.Context(), p, host, port, plainName(u), at.CAs[0])
		if err != nil {
			t.Fatal(err)
		}
		return did
	}
	t.Fatalf("no server is called %q", server)
	return Unknown
}

// TestGateway: it leads to the servers that it has routes to and to loopback, and to nothing else.
func TestGateway(t *testing.T) {
	g, err := newGateway(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	g.route("API.example.org:443", "127.0.0.1:8443")
	for authority, want := range map[string]string{
		"api.example.org:443": "127.0.0.1:8443", "api.EXAMPLE.org.:443": "127.0.0.1:8443", "127.0.0.2:80": "127.0.0.2:80", "[::1]:443": "[::1]:443",
		"api.example.org:80": "", "www.example.org:443": "", "169.254.169.254:80": "", "10.0.0.1:443": "", "localhost:443": "", "nonsense": "",
	} {
		if got := g.destination(authority); got != want {
			t.Errorf("%s leads to %q, want %q", authority, got, want)
		}
	}
}

// TestRecords: application data counts, wherever the records are cut; what is within a handshake's record does not, nor does what is no TLS.
func TestRecords(t *testing.T) {
	hello, data := []byte{22, 3, 1, 0, 3, 23, 23, 23}, []byte{23, 3, 3, 0, 2, 1, 2}
	for _, c := range []struct {
		sent [][]byte
		want int
	}{
		{nil, 0},
		{[][]byte{hello}, 0},
		{[][]byte{hello, data}, 1},
		{[][]byte{slices.Concat(hello, data, data)}, 2},
		{slices.Collect(slices.Chunk(slices.Concat(hello, []byte{22, 3, 3, 0, 0}, data, hello, data), 1)), 2},
		{[][]byte{[]byte("GET / HTTP/1.1\r\n\r\n")}, 0},
	} {
		got := 0
		r := &records{data: func() { got++ }}
		for _, part := range c.sent {
			_, _ = r.Write(part)
		}
		if got != c.want {
			t.Errorf("%v: %d records of application data, want %d", c.sent, got, c.want)
		}
	}
}
