package probe

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// raw serves fixed bytes over plain HTTP, whatever is asked.
func raw(t testing.TB, answer string) target.Endpoint {
	t.Helper()
	return at(t, target.HTTP, certtest.Serve(t, "127.0.0.1", certtest.Say(answer)))
}

func expecting(x target.Expect) func(*target.Endpoint) {
	return func(e *target.Endpoint) { e.Expect = x }
}

func with(e target.Endpoint, change ...func(*target.Endpoint)) target.Endpoint {
	for _, c := range change {
		c(&e)
	}
	return e
}

func TestHTTPAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		status int
		size   int64
	}{
		"plain":                    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, 2},
		"ended by the close":       {"HTTP/1.0 200 OK\r\n\r\nok", 200, 2},
		"chunked":                  {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, 2},
		"chunked with trailers":    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\nA: b\r\n\r\n", 200, 2},
		"after interim ones":       {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, 2},
		"204":                      {"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n", 204, 0},
		"empty gzip":               {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", 200, 0},
		"said before the question": {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, 2},
		"503":                      {"HTTP/1.1 503 Down\r\nContent-Length: 4\r\n\r\ndown", 503, 4},
		"a redirect to nowhere":    {"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", 302, 0},
	} {
		t.Run(name, func(t *testing.T) {
			e := raw(t, c.answer)
			if strings.HasPrefix(name, "said before") {
				e = at(t, target.HTTP, certtest.Serve(t, "127.0.0.1", func(conn net.Conn) {
					_, _ = io.WriteString(conn, c.answer)
					certtest.Silent(conn)
				}))
			}
			a := one(t, observe(t, e))
			healthy(t, a)
			if a.HTTP.Status != c.status || a.HTTP.Size != c.size || a.HTTP.Loop || len(a.HTTP.Hops) > 0 {
				t.Errorf("got %+v", a.HTTP)
			}
			if a.Phases.FirstByte <= 0 || a.TLS != nil {
				t.Errorf("phases %+v, TLS %v", a.Phases, a.TLS)
			}
		})
	}
}

func TestHTTPFaults(t *testing.T) {
	ok := "HTTP/1.1 200 OK\r\n"
	for name, c := range map[string]struct {
		answer string
		phase  observation.Phase
		kind   observation.FailureKind
	}{
		"not HTTP":                  {"220 mail.test ESMTP\r\n", observation.PhaseHeaders, observation.Invalid},
		"a status that is none":     {"HTTP/1.1 abc OK\r\n\r\n", observation.PhaseHeaders, observation.Invalid},
		"a broken header":           {ok + "no colon here\r\n\r\n", observation.PhaseHeaders, observation.Invalid},
		"two lengths":               {ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nok", observation.PhaseHeaders, observation.Invalid},
		"nothing":                   {"", observation.PhaseHeaders, observation.Closed},
		"half a header":             {ok + "Content-Length: 5\r\n", observation.PhaseHeaders, observation.Closed},
		"a short body":              {ok + "Content-Length: 100\r\n\r\nok", observation.PhaseBody, observation.Invalid},
		"a truncated chunk":         {ok + "Transfer-Encoding: chunked\r\n\r\n64\r\nok", observation.PhaseBody, observation.Invalid},
		"chunks without an end":     {ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", observation.PhaseBody, observation.Invalid},
		"a chunk size that is none": {ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n", observation.PhaseBody, observation.Invalid},
		"gzip that is none":         {ok + "Content-Encoding: gzip\r\nContent-Length: 7\r\n\r\nno gzip", observation.PhaseBody, observation.Invalid},
		"an unknown encoding":       {ok + "Content-Encoding: br\r\nContent-Length: 2\r\n\r\nok", observation.PhaseBody, observation.Invalid},
		"too many encodings":        {ok + "Content-Encoding: gzip, gzip, gzip, gzip\r\nContent-Length: 2\r\n\r\nok", observation.PhaseBody, observation.Invalid},
		"a header too large":        {ok + "X: " + strings.Repeat("x", 100<<10) + "\r\n\r\n", observation.PhaseHeaders, observation.TooLarge},
		"a redirect to nonsense":    {"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\n\r\n", observation.PhaseHeaders, observation.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			failed(t, one(t, observe(t, raw(t, c.answer))), c.phase, c.kind)
		})
	}
}

func TestHTTPFloods(t *testing.T) {
	flood := func(start, again string) func(net.Conn) {
		return func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = c.Write([]byte(start))
			certtest.Flood(c, bytes.Repeat([]byte(again), 100))
		}
	}
	trickle := func(start, again string) func(net.Conn) {
		return func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = c.Write([]byte(start))
			certtest.Trickle(c, []byte(again), 20*time.Millisecond)
		}
	}
	ok := "HTTP/1.1 200 OK\r\n"
	for name, c := range map[string]struct {
		serve func(net.Conn)
		waits bool
		phase observation.Phase
		kind  observation.FailureKind
	}{
		"endless headers":       {flood(ok, "X: y\r\n"), false, observation.PhaseHeaders, observation.TooLarge},
		"one endless header":    {flood(ok, "XXXXXXXX"), false, observation.PhaseHeaders, observation.TooLarge},
		"interim answers":       {flood("", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"), false, observation.PhaseHeaders, observation.TooLarge},
		"an endless body":       {flood(ok+"\r\n", "0123456789"), false, observation.PhaseBody, observation.TooLarge},
		"endless chunks":        {flood(ok+"Transfer-Encoding: chunked\r\n\r\n", "400\r\n"+strings.Repeat("x", 1024)+"\r\n"), false, observation.PhaseBody, observation.TooLarge},
		"endless trailers":      {flood(ok+"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", "X: y\r\n"), false, observation.PhaseBody, observation.TooLarge},
		"an endless chunk size": {flood(ok+"Transfer-Encoding: chunked\r\n\r\n1;", "x=y;"), false, observation.PhaseBody, observation.TooLarge},
		"no answer":             {certtest.Silent, true, observation.PhaseHeaders, observation.TimedOut},
		"a header byte by byte": {trickle(ok, "x"), true, observation.PhaseHeaders, observation.TimedOut},
		"a body byte by byte":   {trickle(ok+"\r\n", "x"), true, observation.PhaseBody, observation.TimedOut},
		"a body that stops":     {trickle(ok+"Content-Length: 9\r\n\r\n", "x"), true, "", ""},
		"a reset":               {certtest.Reset, false, observation.PhaseHeaders, observation.Reset},
		"a reset within": {func(c net.Conn) {
			_, _ = c.Write([]byte(ok + "Content-Length: 9\r\n\r\nx"))
			time.Sleep(20 * time.Millisecond)
			certtest.Reset(c)
		}, false, observation.PhaseBody, observation.Reset},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := observeServer(t, target.HTTP, c.serve, c.waits)
			if c.kind == "" {
				healthy(t, a)
				return
			}
			failed(t, a, c.phase, c.kind)
		})
	}
}

// squeeze compresses n zeros.
func squeeze(t testing.TB, n int64, into func(io.Writer) io.WriteCloser) []byte {
	t.Helper()
	var out bytes.Buffer
	w := into(&out)
	if _, err := io.CopyN(w, zeros{}, n); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// hollowBomb is compressed three times. The result is empty; in between are n bytes of deflate blocks without content, which
// take time to inflate but do not count towards the size of the body.
func hollowBomb(t testing.TB, n int64) []byte {
	t.Helper()
	empty := []byte{0, 0, 0, 0xff, 0xff} // a stored block that is not the last, RFC 1951 §3.2.4
	blocks := bytes.Repeat(empty, 1<<16)
	end := []byte{3, 0} // the last block, empty
	var out bytes.Buffer
	outer, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	inner := gzip.NewWriter(outer)
	write := func(b []byte) {
		if _, err := inner.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	write([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}) // RFC 1952 §2.3
	for range n / int64(len(blocks)) {
		write(blocks)
	}
	write(append(end, make([]byte, 8)...)) // CRC and size of nothing
	if err := errors.Join(inner.Close(), outer.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestEncodings(t *testing.T) {
	asGzip := func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
	asZlib := func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }
	asFlate := func(w io.Writer) io.WriteCloser {
		f, err := flate.NewWriter(w, flate.BestSpeed)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	whole := squeeze(t, 1000, asGzip)
	for name, c := range map[string]struct {
		encoding string
		body     []byte
		kind     observation.FailureKind
		size     int64
	}{
		"gzip":           {"gzip", whole, "", 1000},
		"x-gzip":         {"x-gzip", whole, "", 1000},
		"identity":       {"identity", whole, "", int64(len(whole))},
		"deflate, zlib":  {"deflate", squeeze(t, 1000, asZlib), "", 1000},
		"deflate, bare":  {"deflate", squeeze(t, 1000, asFlate), "", 1000},
		"truncated gzip": {"gzip", whole[:len(whole)-6], observation.Invalid, 1000},
		"a bomb":         {"gzip", squeeze(t, 2*defaultMaxBody, asGzip), observation.TooLarge, defaultMaxBody},
		"a bomb within":  {"gzip, gzip, gzip", hollowBomb(t, defaultMaxBody+defaultMaxBody/2), observation.TooLarge, 0},
	} {
		t.Run(name, func(t *testing.T) {
			address := web(t, serving(t), func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", c.encoding)
				_, _ = w.Write(c.body)
			})
			a := one(t, observe(t, at(t, target.HTTPS, address)))
			if c.kind == "" {
				healthy(t, a)
			} else {
				failed(t, a, observation.PhaseBody, c.kind)
			}
			if a.HTTP.Size != c.size {
				t.Errorf("size %d, want %d", a.HTTP.Size, c.size)
			}
		})
	}
}

func TestProtocols(t *testing.T) {
	for _, protocols := range [][]string{{"h2"}, {"http/1.1"}, {"h2", "http/1.1"}} {
		config := serving(t)
		config.NextProtos = protocols
		config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			c := config.Clone()
			c.NextProtos = protocols // httptest adds its own
			return c, nil
		}
		address := web(t, config, func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, r.Proto) })
		a := one(t, observe(t, at(t, target.HTTPS, address)))
		healthy(t, a)
		want := map[string]string{"h2": "HTTP/2.0", "http/1.1": "HTTP/1.1"}[protocols[0]]
		if a.TLS.ALPN != protocols[0] || a.HTTP.Proto != want || a.HTTP.Excerpt != want {
			t.Errorf("%v: ALPN %q, %s, %q", protocols, a.TLS.ALPN, a.HTTP.Proto, a.HTTP.Excerpt)
		}
	}
}

// TestHTTP2Bounds: header floods and endless bodies end over HTTP/2 as well.
func TestHTTP2Bounds(t *testing.T) {
	address := web(t, serving(t), func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/headers" {
			for i := range 2000 {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 200))
			}
			return
		}
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
		floodBody(w)
	})
	a := one(t, observe(t, at(t, target.HTTPS, address, path("/headers"))))
	failed(t, a, observation.PhaseHeaders, observation.TooLarge)
	a = one(t, observe(t, at(t, target.HTTPS, address, path("/body"))))
	failed(t, a, observation.PhaseBody, observation.TooLarge)
	a = one(t, observe(t, at(t, target.HTTPS, address, path("/abort"))))
	failed(t, a, observation.PhaseHeaders, observation.Invalid)
	silent := serving(t)
	silent.NextProtos = []string{protocolH2}
	failed(t, observeServer(t, target.HTTPS, secured(silent), true), observation.PhaseHeaders, observation.TimedOut)
}

func floodBody(w io.Writer) {
	for block := make([]byte, 32<<10); ; {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

func TestExpectations(t *testing.T) {
	equals := func(s string) *string { return &s }
	body := `{"status": "up", "n": 3, "big": 9007199254740993, "items": [{"id": 1.0}, {"id": "two"}], "a b": null}`
	address := web(t, serving(t), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Served-By", "node-7")
		if r.URL.Path == "/split" { // the text lies across reads
			for i := range len(body) {
				_, _ = io.WriteString(w, body[i:i+1])
				w.(http.Flusher).Flush() //nolint:forcetypeassert // httptest's is one
			}
			return
		}
		_, _ = io.WriteString(w, body)
	})
	for name, c := range map[string]struct {
		expect target.Expect
		path   string
		unmet  string
	}{
		"contains":             {target.Expect{BodyContains: `"up"`}, "/", ""},
		"contains, split":      {target.Expect{BodyContains: `"items": [`}, "/split", ""},
		"contains, at the end": {target.Expect{BodyContains: `null}`}, "/split", ""},
		"contains not":         {target.Expect{BodyContains: "down"}, "/", "body_contains down "},
		"matches":              {target.Expect{BodyMatches: `"n":\s+\d`}, "/", ""},
		"matches, split":       {target.Expect{BodyMatches: `^\{.*null\}$`}, "/split", ""},
		"matches not":          {target.Expect{BodyMatches: `^x`}, "/", "body_matches ^x "},
		"JSON": {target.Expect{BodyJSON: []target.JSONValue{
			{Path: "$.status", Equals: equals("up")}, {Path: "$.n", Equals: equals("3.0")}, {Path: "items[0].id", Equals: equals("1")},
			{Path: "$.items[1]['id']", Equals: equals("two")}, {Path: `$["a b"]`, Equals: equals("null")}, {Path: "$.items"},
			{Path: "$.big", Equals: equals("9007199254740993")},
		}}, "/", ""},
		"JSON, another value": {target.Expect{BodyJSON: []target.JSONValue{{Path: "$.status", Equals: equals("down")}}}, "/", "body_json $.status = down up"},
		"JSON, a near number": {target.Expect{BodyJSON: []target.JSONValue{{Path: "$.big", Equals: equals("9007199254740992")}}}, "/", "body_json $.big = 9007199254740992 9007199254740993"},
		"JSON, not there":     {target.Expect{BodyJSON: []target.JSONValue{{Path: "$.items[2]"}}}, "/", "body_json $.items[2] no such value"},
		"header":              {target.Expect{Headers: []target.HeaderValue{{Name: "x-served-by", Contains: "node"}}}, "/", ""},
		"header, other":       {target.Expect{Headers: []target.HeaderValue{{Name: "x-served-by", Contains: "rack"}}}, "/", "header X-Served-By: rack node-7"},
		"header, not there":   {target.Expect{Headers: []target.HeaderValue{{Name: "X-None", Contains: ""}}}, "/", "header X-None:  "},
		"as large as allowed": {target.Expect{MaxSize: int64(len(body))}, "/", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := one(t, observe(t, at(t, target.HTTPS, address, path(c.path), expecting(c.expect))))
			healthy(t, a)
			var got string
			for _, u := range a.HTTP.Unmet {
				got += u.Expectation + " " + u.Want + " " + u.Got
			}
			if got != c.unmet {
				t.Errorf("unmet: %q, want %q", got, c.unmet)
			}
		})
	}
	marked := raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n\ufeff{\"a\": \"b\"} ")
	marked.Expect.BodyJSON = []target.JSONValue{{Path: "$.a", Equals: equals("b")}}
	if a := one(t, observe(t, marked)); len(a.HTTP.Unmet) > 0 { // RFC 8259 §8.1 lets a reader pass over a byte order mark
		t.Errorf("JSON after a byte order mark: %+v", a.HTTP.Unmet)
	}
	small := at(t, target.HTTPS, address, expecting(target.Expect{MaxSize: int64(len(body)) - 1}))
	failed(t, one(t, observe(t, small)), observation.PhaseBody, observation.TooLarge)
	a := one(t, observe(t, with(raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), expecting(target.Expect{BodyJSON: []target.JSONValue{{Path: "$.a"}}}))))
	if len(a.HTTP.Unmet) != 1 {
		t.Errorf("an empty object: %+v", a.HTTP.Unmet)
	}
}

// TestSecrets: configured secrets are sent, and an echo of them is hidden, also if it is truncated in the middle.
func TestSecrets(t *testing.T) {
	address := web(t, serving(t), func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != "scraper" || password != "hunter2+x" || r.Header.Get("X-Token") != "Bearer t0ken/value" || r.Host != "virtual.test" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Server", "echo "+r.Header.Get("X-Token"))
		_, _ = io.WriteString(w, strings.Repeat("é", 100)+r.Header.Get("Authorization")+password+"t0ken/value c00kie-value \x1b[31m\u202e")
		_, _ = io.WriteString(w, strings.Repeat("hunter2+x", 1000))
	})
	a := one(t, observe(t, at(t, target.HTTPS, address, func(e *target.Endpoint) {
		e.Request.Username, e.Request.Password = "scraper", "hunter2+x"
		e.Request.Headers = []target.Header{{Name: "X-Token", Value: "Bearer t0ken/value"}, {Name: "Host", Value: "virtual.test"}, {Name: "Cookie", Value: "theme=dark; session=c00kie-value"}, {Name: "Accept", Value: "text/plain"}}
	}), verifying))
	healthy(t, a)
	if a.HTTP.Status != http.StatusOK {
		t.Fatalf("credentials did not arrive: %d", a.HTTP.Status)
	}
	if got := a.HTTP.Headers["Content-Type"]; !strings.HasPrefix(got, "text/plain") {
		t.Errorf("the content type is hidden: %q", got)
	}
	shown := fmt.Sprint(*a.HTTP)
	for _, secret := range []string{"hunter2", "t0ken", "\x1b", "\u202e", "c00kie", "c2NyYXBlcj"} {
		if strings.Contains(shown, secret) {
			t.Errorf("%q is shown: %s", secret, shown)
		}
	}
	if n := len([]rune(a.HTTP.Excerpt)); n > 201+10*8 || !strings.Contains(a.HTTP.Excerpt, "[secret]") {
		t.Errorf("an excerpt of %d characters: %q", n, a.HTTP.Excerpt)
	}
}

// TestLocationCredentials: no password is shown, not even one that the server sent.
func TestLocationCredentials(t *testing.T) {
	for _, location := range []string{"https://scraper:hunter2@127.0.0.1:1/x", "//scraper:hunter2@127.0.0.1/", "/%zz@https://scraper:hunter2@[::1"} {
		for _, status := range []string{"302 Found", "300 Multiple Choices", "201 Created"} {
			e := raw(t, "HTTP/1.1 "+status+"\r\nLocation: "+location+"\r\nContent-Length: 0\r\n\r\n")
			for _, expect := range [][]int{nil, {302}} {
				e.Expect.Status = expect
				e.Expect.Headers = []target.HeaderValue{{Name: "Location", Contains: "elsewhere"}}
				shown, err := json.Marshal(one(t, observe(t, e)))
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(string(shown), "hunter2") || strings.Contains(string(shown), "scraper") {
					t.Errorf("%s, expected %v: %s", status, expect, shown)
				}
			}
		}
	}
}

// TestFirstByteIsTheAnswers: an interim response does not count for max_latency.
func TestFirstByteIsTheAnswers(t *testing.T) {
	const pause = 50 * time.Millisecond
	address := web(t, serving(t), func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		time.Sleep(pause)
		w.WriteHeader(http.StatusOK)
	})
	plain := certtest.Serve(t, "127.0.0.1", func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, "HTTP/1.1 103 Early Hints\r\n\r\n")
		time.Sleep(pause)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	for _, e := range []target.Endpoint{at(t, target.HTTPS, address), at(t, target.HTTP, plain)} {
		a := one(t, observe(t, e))
		healthy(t, a)
		if a.Phases.FirstByte < pause {
			t.Errorf("%s: the first byte came after %v", e.Kind, a.Phases.FirstByte)
		}
	}
}

// TestWithheld: a man in the middle does not receive credentials.
func TestWithheld(t *testing.T) {
	var asked atomic.Int32
	config := serving(t)
	secure := web(t, config, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusUnauthorized)
	})
	plain := plainWeb(t, "127.0.0.1", func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	basic := target.Request{Username: "scraper", Password: "hunter2"}
	token := target.Request{Headers: []target.Header{{Name: "X-Token", Value: "t0ken"}}}
	query := target.Request{Query: "token=t0ken"}
	open := target.Request{Headers: []target.Header{{Name: "Accept", Value: "text/plain"}}}
	refusing := func(o *Options) {
		o.Verified = func(e target.Endpoint, chain []*x509.Certificate, at time.Time) bool {
			return e.Host != "127.0.0.1" || len(chain) == 0 || at.IsZero()
		}
	}
	unable := func(*Options) {}
	for name, c := range map[string]struct {
		kind     target.Kind
		address  string
		request  target.Request
		options  func(*Options)
		withheld bool
	}{
		"credentials, verified":         {target.HTTPS, secure, basic, verifying, false},
		"credentials, not verified":     {target.HTTPS, secure, basic, refusing, true},
		"credentials, nobody to verify": {target.HTTPS, secure, basic, unable, true},
		"a token, not verified":         {target.HTTPS, secure, token, refusing, true},
		"no secret, not verified":       {target.HTTPS, secure, open, refusing, false},
		"a query, verified":             {target.HTTPS, secure, query, verifying, false},
		"a query, not verified":         {target.HTTPS, secure, query, refusing, true},
		"a query without values":        {target.HTTPS, secure, target.Request{Query: "page="}, refusing, false},
		"credentials, plain http":       {target.HTTP, plain, basic, refusing, false},
	} {
		t.Run(name, func(t *testing.T) {
			asked.Store(0)
			a := one(t, observe(t, at(t, c.kind, c.address, func(e *target.Endpoint) { e.Request = c.request }), c.options))
			healthy(t, a)
			if (a.Withheld != "") != c.withheld || (a.HTTP == nil) != c.withheld || (asked.Load() == 0) != c.withheld {
				t.Errorf("asked %d times, withheld %q, answer %+v", asked.Load(), a.Withheld, a.HTTP)
			}
			if c.kind == target.HTTPS && a.TLS == nil {
				t.Error("the handshake was not seen")
			}
		})
	}
}
