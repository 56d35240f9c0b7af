package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"certdrift/internal/finding"
)

const (
	// maxReferences bounds the URLs of one kind that are tried per certificate.
	maxReferences = 3
	// maxFetchRedirects bounds the redirects of a fetch; each is dialed under the guard.
	maxFetchRedirects = 3
)

// references returns the URLs of a certificate to try: http only. RFC 5280 §4.2.2.1 and §4.2.1.13 require that http works,
// and https would need a chain of its own to verify.
func references(urls []string) []string {
	var usable []string
	for _, u := range urls {
		if len(u) > 7 && strings.EqualFold(u[:7], "http://") && len(usable) < maxReferences {
			usable = append(usable, u)
		}
	}
	return usable
}

// fetch gets a document that a certificate points at; more than limit bytes is an error.
func (v *endpointProbe) fetch(ctx context.Context, method, from, contentType string, body []byte, limit int64) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, from, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("reading the URL %s: %w", finding.Quote(from), errors.Unwrap(err))
	}
	request.Header.Set("User-Agent", userAgent)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if !take(ctx, v.fetches) {
		return nil, fetchFailed(ctx, context.Cause(ctx))
	}
	defer func() { <-v.fetches }()
	response, err := v.fetcher().Do(request)
	if err != nil {
		return nil, fetchFailed(ctx, err)
	}
	defer response.Body.Close() //nolint:errcheck // the connection is closed anyhow
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answered with status %d", response.StatusCode)
	}
	document, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the response: %w", err)
	case int64(len(document)) > limit:
		return nil, fmt.Errorf("the response has more than %d bytes", limit)
	}
	return document, nil
}

// fetcher returns a client for one document. It closes its connections, one for each redirect, once they are read.
func (v *endpointProbe) fetcher() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext: v.dialReference, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeader,
		},
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			if len(via) > maxFetchRedirects || next.URL.Scheme != "http" {
				return errors.New("the redirect is not followed")
			}
			return nil
		},
	}
}

// fetchFailed returns why a fetch failed: the end of its time, or net/http's error without the URL, which is recorded
// separately.
func fetchFailed(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w: %w", context.DeadlineExceeded, cause)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// dialReference resolves a host and dials the first of its addresses that the guard permits and that answers.
func (v *endpointProbe) dialReference(ctx context.Context, _, address string) (net.Conn, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("reading the port %s: %w", finding.Quote(service), err)
	}
	dns := v.resolve(host, v.timeout)
	if dns.Failure != nil {
		return nil, fmt.Errorf("resolving %s: %s", finding.Quote(host), dns.Failure.Detail)
	}
	err = errors.New("the name has no address")
	for _, addr := range addrPorts(dns, uint16(port)) {
		var conn net.Conn
		if conn, err = v.dial(ctx, v.guard.Reference, addr); err == nil {
			return newDelayedConn(conn, &opening{}), nil
		}
	}
	return nil, err
}
