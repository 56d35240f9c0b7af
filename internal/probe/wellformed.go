package probe

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"certdrift/internal/finding"
)

// errContentBeyond tells of content where there may be none.
var errContentBeyond = errors.New("content came with a status that has none (RFC 9113 §8.1.1)")

// malformed looks for what net/http lets pass in the head of a response and other clients refuse. curl and whatever else
// is built on nghttp2 end the stream with PROTOCOL_ERROR for each of these over HTTP/2, as RFC 9113 §8.1.1 asks.
func malformed(r *http.Response) error {
	if r.StatusCode < 100 || r.StatusCode > 999 {
		return fmt.Errorf("the status %03d is none (RFC 9110 §15)", r.StatusCode)
	}
	if r.ProtoMajor != 2 {
		return nil // net/http looks at the rest itself
	}
	for _, name := range []string{"Connection", "Proxy-Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade"} {
		if values := r.Header.Values(name); len(values) > 0 {
			return fmt.Errorf("the header %q with %s has no place in HTTP/2 (RFC 9113 §8.2.2)",
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

// hasNoContent reports whether a response must come without content (RFC 9110 §6.4.1). Over HTTP/1.1 what follows it is no
// part of it; over HTTP/2 it is, and clients refuse it.
func hasNoContent(r *http.Response) bool {
	return r.ProtoMajor == 2 && (r.StatusCode == http.StatusNoContent || r.StatusCode == http.StatusNotModified)
}

// restoreHopByHop puts back what net/http takes out of an HTTP/1.1 header, so that expect.headers can ask for it.
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
	if r.Close && r.ProtoMinor > 0 { // an HTTP/1.0 header is left as it came
		put("Connection", []string{"close"})
	}
}
