package probe

import (
	"errors"
	"strings"

	"certdrift/internal/observation"
)

// errDialedOnce ends net/http's attempts to send a request again over another connection: connect does that, once. Over a new
// connection net/http only attempts it over HTTP/2: after GOAWAY with a last stream below the request's or before the request,
// after REFUSED_STREAM, and after PROTOCOL_ERROR, by which some servers mean the same. It does not tell them apart.
var errDialedOnce = errors.New("the server rejected the request by GOAWAY, REFUSED_STREAM or PROTOCOL_ERROR")

// nameUnprocessed changes a failure to Unprocessed if an HTTP/2 server did not process the request. Such a request may be sent
// again over a new connection (RFC 9113 §8.7), and a load balancer that is being drained relies on it. A failure of another kind,
// such as an alert that came late, says more.
func nameUnprocessed(f *observation.Failure, err error) {
	if f.Kind != observation.Closed && f.Kind != observation.Invalid {
		return
	}
	for _, words := range []string{
		errDialedOnce.Error(),
		"Transport received GOAWAY from server ErrCode", // with an error, and a last stream below the request's
		"http2: client conn could not be established",   // it ended before the request was sent
	} {
		if strings.Contains(err.Error(), words) {
			f.Kind = observation.Unprocessed
		}
	}
}
