package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"syscall"
	"time"

	"certdrift/internal/probe/netguard"
	"certdrift/internal/target"
)

// callTimeout bounds a Call as a whole.
const callTimeout = 10 * time.Second

// Heartbeat calls the operator's heartbeat URL, a dead man's switch.
type Heartbeat struct {
	// RuntimeAPI is as in Options.
	RuntimeAPI string
}

// dialer returns a dialer for addresses that an endpoint with this host may have: private networks, but not this machine or
// cloud metadata services, unless the host is such an address.
func (h Heartbeat) dialer(host string) *net.Dialer {
	allow := netguard.New(target.Endpoint{Host: host}, netguard.ParseRuntimeAPI(h.RuntimeAPI)).Target
	return &net.Dialer{KeepAlive: -1, Control: func(_, address string, _ syscall.RawConn) error { return netguard.Control(allow, address) }}
}

// errNotHTTP replaces what net/http says of a response that it cannot read, which quotes the response.
var errNotHTTP = errors.New("the server's response is not valid HTTP")

// Call requests the URL and discards the response. It does not follow redirects. The URL holds a token, so errors show only
// its host, and nothing of the response: a server may echo the request.
func (h Heartbeat) Call(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	connected := false
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected = true }}
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodGet, address, nil)
	if err != nil {
		return errors.New("calling the heartbeat URL: it is not a valid URL")
	}
	client := &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10, DialContext: h.dialer(request.URL.Hostname()).DialContext,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(request)
	if err != nil {
		var asked *url.Error // it quotes the URL
		if errors.As(err, &asked) {
			err = asked.Err
		}
		if connected && networkKind(err) == "" && receivedAlert(err) == "" {
			err = errNotHTTP
		}
		return fmt.Errorf("calling the heartbeat URL at %q: %w", request.URL.Host, err)
	}
	defer answer.Body.Close() //nolint:errcheck // nothing is left to be read
	_, _ = io.CopyN(io.Discard, answer.Body, 4<<10)
	if answer.StatusCode >= 300 {
		return fmt.Errorf("calling the heartbeat URL at %q: the server answered with status %d", request.URL.Host, answer.StatusCode)
	}
	return nil
}
