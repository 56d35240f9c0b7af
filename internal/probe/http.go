package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

const (
	// maxHeader bounds the header of a response in bytes, interim responses included.
	maxHeader = 64 << 10
	// userAgent identifies certdrift to a server's owner; a configured header replaces it.
	userAgent = "certdrift"
)

// errInterim is returned for a flood of interim responses.
var errInterim = fmt.Errorf("the interim responses are larger than %d bytes", maxHeader)

// exchange sends the request over an open connection and reads the response.
func (v *endpointProbe) exchange(ctx context.Context, o *origin, conn net.Conn, got *answer) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(v.timeout, func() { cancel(errPhase) })
	defer timer.Stop()

	clock, before, wire := &stopwatch{}, received(conn), counting(conn)
	wire.await()
	var heard opening
	transport := overConn(conn, got.TLS, &heard)
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(v.request(httptrace.WithClientTrace(ctx, clock.trace()), o))
	got.Phases.FirstByte = clock.took()
	if err != nil {
		got.Failure = v.requestFailed(ctx, observation.PhaseHeaders, err, conn, got)
		if overflowed(got.Failure, received(conn)-before) {
			got.Failure.Kind, got.Failure.Detail = observation.TooLarge, fmt.Sprintf("the header is larger than %d bytes", maxHeader)
		}
		nameUnprocessed(got.Failure, err)
		nameForeignAnswer(o, heard.take(), got.Failure)
		return
	}
	defer response.Body.Close() //nolint:errcheck // the connection is closed anyhow
	got.Phases.FirstByte = clock.answered()
	if err := malformed(response); err != nil {
		got.Failure = v.requestFailed(ctx, observation.PhaseHeaders, err, conn, got)
		return
	}
	restoreHopByHop(response)
	got.cookies = v.setCookies(response.Header) // first: nothing that is shown may contain their values
	got.HTTP = v.head(response)
	if v.redirects(o, response, got) || response.StatusCode == http.StatusSwitchingProtocols {
		return
	}
	timer.Reset(v.timeout)
	if err := v.readBody(response, got.HTTP, wire.account()); err != nil {
		got.Failure = v.requestFailed(ctx, observation.PhaseBody, err, conn, got)
	}
	got.auth.record(got.TLS)
	v.noticeClientCertificate(got)
}

// request returns the request to send. Configured headers and credentials go to the endpoint's own origin only, the cookies of a
// chain of redirects where they belong.
func (v *endpointProbe) request(ctx context.Context, o *origin) *http.Request {
	r := (&http.Request{
		Method: o.method, URL: o.url, Host: o.url.Host, Header: http.Header{},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	r.Header.Set("User-Agent", userAgent)
	r.Header.Set("Accept", "*/*")
	r.Header.Set("Accept-Encoding", "gzip, deflate")
	if o.own {
		v.configure(r)
	}
	if header := joinCookies(r.Header.Get("Cookie"), o.cookies); header != "" {
		r.Header.Set("Cookie", header)
	}
	return r
}

// configure adds what the endpoint's configuration says of its request.
func (v *endpointProbe) configure(r *http.Request) {
	if asked := v.target.Request; asked.Username != "" || asked.Password != "" {
		r.SetBasicAuth(asked.Username.Reveal(), asked.Password.Reveal())
	}
	for _, h := range v.target.Request.Headers {
		if strings.EqualFold(h.Name, "Host") {
			r.Host = h.Value.Reveal()
			continue
		}
		r.Header.Set(h.Name, h.Value.Reveal())
	}
}

// overConn returns a transport for one request over an open connection. ALPN decides between HTTP/2 and HTTP/1.1; what is received
// first over the latter is kept in heard.
func overConn(conn net.Conn, secured *observation.TLS, heard *opening) *http.Transport {
	h2 := secured != nil && secured.ALPN == protocolH2
	if !h2 { // HTTP/2 servers send first, and net/http needs the *tls.Conn
		conn = newDelayedConn(conn, heard)
	}
	var once sync.Once
	dialOnce := func(context.Context, string, string) (c net.Conn, err error) {
		err = errDialedOnce
		once.Do(func() { c, err = conn, nil })
		return c, err
	}
	return &http.Transport{
		DialContext: dialOnce, DialTLSContext: dialOnce,
		ForceAttemptHTTP2:      h2,
		DisableKeepAlives:      true,
		DisableCompression:     true, // the body is decoded here, under a bound
		MaxResponseHeaderBytes: maxHeader,
		// Flow control windows: net/http's default of 4 MiB is too much for many connections at a time.
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerStream: 64 << 10, MaxReceiveBufferPerConnection: 64 << 10, MaxReadFrameSize: 16 << 10,
		},
	}
}

// head records the status and the few headers that findings show.
func (v *endpointProbe) head(r *http.Response) *observation.HTTP {
	shown := []string{"Content-Type", "Location", "Server", "Content-Length"}
	h := &observation.HTTP{Proto: r.Proto, Status: r.StatusCode, Date: date(r.Header), Headers: map[string]string{}}
	for _, e := range v.target.Expect.Headers {
		shown = append(shown, http.CanonicalHeaderKey(e.Name))
	}
	for _, name := range shown {
		if values := r.Header.Values(name); len(values) > 0 {
			h.Headers[name] = v.secrets.ShowURL(strings.Join(values, ", "), finding.QuoteLimit)
		}
	}
	h.Unmet = v.unmetHeaders(r.Header)
	return h
}

// maxAge bounds the Age of a response that dates it: a year, which RFC 9110 takes for the longest.
const maxAge = 365 * 24 * time.Hour

// date returns when the server responded, by its own clock. A cache keeps the Date of the origin and adds Age (RFC 9111 §5.1);
// a Date without a valid Age says nothing then.
func date(h http.Header) time.Time {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil || at.Year() < 1970 || at.Year() > 9000 { // beyond 9999 there is no JSON
		return time.Time{}
	}
	text := h.Get("Age")
	if text == "" {
		return at
	}
	age, err := strconv.ParseUint(text, 10, 32)
	if err != nil || time.Duration(age)*time.Second > maxAge {
		return time.Time{}
	}
	return at.Add(time.Duration(age) * time.Second)
}

func (v *endpointProbe) unmetHeaders(h http.Header) []observation.Unmet {
	var unmet []observation.Unmet
	for _, e := range v.target.Expect.Headers {
		values := h.Values(e.Name)
		if len(values) > 0 && slices.ContainsFunc(values, func(s string) bool { return strings.Contains(s, e.Contains) }) {
			continue
		}
		unmet = append(unmet, observation.Unmet{
			Expectation: "header",
			Want:        v.secrets.Show(http.CanonicalHeaderKey(e.Name)+": "+e.Contains, finding.QuoteLimit),
			Got:         v.secrets.ShowURL(strings.Join(values, ", "), finding.QuoteLimit),
		})
	}
	return unmet
}

// redirects reports whether the response is a redirect to follow, and records its target. An expected status is not followed;
// a redirect without a usable target is a failure of the response.
func (v *endpointProbe) redirects(o *origin, r *http.Response, got *answer) bool {
	location := r.Header.Get("Location")
	switch r.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect,
		http.StatusPermanentRedirect:
	default:
		return false
	}
	if location == "" {
		return false
	}
	got.HTTP.Location = v.secrets.ShowURL(location, finding.QuoteLimit)
	if slices.Contains(v.target.Expect.Status, r.StatusCode) {
		return false
	}
	next, err := v.redirected(o, r.StatusCode, location)
	if err != nil {
		got.Failure = fail(observation.PhaseHeaders, err)
		got.Failure.Detail = v.secrets.Show(err.Error(), finding.QuoteLimit)
		return true
	}
	got.location = next
	got.HTTP.Unmet = nil // the last hop's response is the one that must meet them
	return true
}

// requestFailed returns the failure for an error of the request or response. In TLS 1.3 the alert of a server that requires a
// client certificate arrives here; if the write failed first, the alert may not have been read yet.
func (v *endpointProbe) requestFailed(ctx context.Context, phase observation.Phase, err error, conn net.Conn, got *answer) *observation.Failure {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		err = net.ErrClosed // by net/http, after a write failed: a read beside it sees that as a deadline (countingConn.Close)
	}
	f := fail(phase, err)
	if c := counting(conn); c != nil && c.reset.Load() && (f.Kind == observation.Closed || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		f = fail(phase, syscall.ECONNRESET)
	}
	secured, ok := conn.(*tls.Conn)
	if ok && (f.Kind == observation.Reset || f.Kind == observation.Closed || f.Kind == observation.Invalid && got.TLS.ALPN == protocolH2) {
		_ = secured.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if _, late := secured.Read(make([]byte, 1)); receivedAlert(late) != "" {
			f = fail(phase, late)
		}
	}
	f.Detail = v.secrets.Show(f.Detail, finding.QuoteLimit)
	got.auth.record(got.TLS)
	requiresClientCertificate(f, got.TLS)
	return f
}

// noticeClientCertificate recognizes nginx, which completes the handshake and then answers 400.
func (v *endpointProbe) noticeClientCertificate(got *answer) {
	if got.Failure != nil || got.TLS == nil || !got.TLS.ClientCertificateRequested ||
		got.HTTP.Status != http.StatusBadRequest || !strings.Contains(got.HTTP.Excerpt, "SSL certificate") {
		return
	}
	got.Failure = &observation.Failure{
		Phase: observation.PhaseHeaders, Kind: observation.ClientCertNeeded, Detail: got.HTTP.Excerpt,
	}
}

// stopwatch measures the time from writing the request to the first byte of the response.
type stopwatch struct {
	mu             sync.Mutex
	written, first time.Time
	interim        int // bytes of interim responses; net/http does not bound them itself
}

func (s *stopwatch) trace() *httptrace.ClientTrace {
	stamp := func(t *time.Time) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if t.IsZero() {
			*t = time.Now()
		}
	}
	return &httptrace.ClientTrace{
		WroteRequest:         func(httptrace.WroteRequestInfo) { stamp(&s.written) },
		GotFirstResponseByte: func() { stamp(&s.first) },
		Got1xxResponse:       s.passed,
	}
}

// passed counts an interim response by its header list size (RFC 9113 §6.5.2) and its status line.
func (s *stopwatch) passed(_ int, header textproto.MIMEHeader) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interim += len("HTTP/1.1 103 \r\n\r\n")
	for name, values := range header {
		for _, value := range values {
			s.interim += len(name) + len(value) + 32
		}
	}
	if s.interim > maxHeader {
		return errInterim
	}
	return nil
}

// answered returns the time once the response's header is complete. An interim response is not the response (RFC 9110 §15.2),
// so after one the end of the header counts as the first byte: net/http reports no later first byte.
func (s *stopwatch) answered() time.Duration {
	s.mu.Lock()
	if s.interim > 0 {
		s.first = time.Now()
	}
	s.mu.Unlock()
	return s.took()
}

func (s *stopwatch) took() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first.IsZero() || s.written.IsZero() {
		return 0
	}
	return max(1, s.first.Sub(s.written)) // a response that came before the request was written still took time
}
