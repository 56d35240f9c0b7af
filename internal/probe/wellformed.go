package probe

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"certdrift/internal/finding"
)

// errContentBeyond is returned for content where none is allowed.
var errContentBeyond = errors.New("the response has content, which its status does not allow (RFC 9113 §8.1.1)")

// malformed returns an error for a response header that net/http accepts and other clients reject. curl and other clients
// built on nghttp2 end the stream with PROTOCOL_ERROR for each of these over HTTP/2, as RFC 9113 §8.1.1 requires.
func malformed(r *http.Response) error {
	if r.StatusCode < 100 || r.StatusCode > 999 {
		return fmt.Errorf("the status %03d is not valid (RFC 9110 §15)", r.StatusCode)
	}
	if r.ProtoMajor != 2 {
		return nil // net/http checks the rest itself
	}
	for _, name := range []string{"Connection", "Proxy-Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade"} {
		if values := r.Header.Values(name); len(values) > 0 {
			return fmt.Errorf("the header %q with %s is not allowed in HTTP/2 (RFC 9113 §8.2.2)",
				strings.ToLower(name), finding.Quote(strings.Join(values, ", ")))
		}
	}
	lengths := r.Header.Values("Content-Length")
	for _, length := range lengths {
		if length != lengths[0] || length == "" || strings.Trim(length, "0123456789") != "" {
			return fmt.Errorf("bad content-length %s (RFC 9113 §8.1.1)", finding.Quote(strings.Join(lengths, ", ")))
		}
	}
	return nil
}

// hasNoContent reports whether a response must not have content (RFC 9110 §6.4.1). Over HTTP/1.1 data after it is not part of
// it; over HTTP/2 it is, and clients reject it.
func hasNoContent(r *http.Response) bool {
	return r.ProtoMajor == 2 && (r.StatusCode == http.StatusNoContent || r.StatusCode == http.StatusNotModified)
}

// restoreHopByHop restores the headers that net/http removes from an HTTP/1.1 response, so that expect.headers can match them.
func restoreHopByHop(r *http.Response) {
	if r.ProtoMajor != 1 {
		return
	}
	put := func(name string, values []string) {
		if len(values) > 0 && r.Header.Get(name) == "" {
			r.Header.Set(name, strings.Join(values, ", "))
		}
	}
	put("Transfer-Encoding", r.TransferEncoding)
	var trailers []string
	for name := range r.Trailer {
		trailers = append(trailers, name)
	}
	slices.Sort(trailers)
	put("Trailer", trailers)
	if r.Close && r.ProtoMinor > 0 { // an HTTP/1.0 header is left as received
		put("Connection", []string{"close"})
	}
}
