package probe

import (
	"bufio"
	"crypto/tls"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// Error codes of HTTP/2 (RFC 9113 §7).
const protocolError, internalError, refusedStream, calmDown = 0x1, 0x2, 0x7, 0xb

func goAway(last, code byte) []byte { return frame(frameGoAway, 0, 0, 0, 0, last, 0, 0, 0, code) }

func resetStream(code byte) []byte { return frame(frameReset, 1, 0, 0, 0, code) }

// h2Server answers a request on its first connections with a refusal, sent before the request or after it, and later ones with 200.
// It counts the connections. One that ends is read to its end: closed with unread data, it would be reset, and the client might not
// get the refusal.
func h2Server(t *testing.T, refusals int32, before, after []byte, ends bool) (address string, seen *atomic.Int32) {
	t.Helper()
	config := serving(t)
	config.NextProtos = []string{protocolH2}
	seen = &atomic.Int32{}
	return certtest.ServeTLS(t, "127.0.0.1", config, func(conn *tls.Conn) {
		if conn.Handshake() != nil {
			return
		}
		refuses := seen.Add(1) <= refusals
		in := bufio.NewReader(conn)
		_, _ = in.Discard(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
		_, _ = conn.Write(frame(frameSettings, 0))
		if refuses && before != nil {
			_, _ = conn.Write(before)
			if ends {
				_ = conn.CloseWrite()
			}
			_, _ = io.Copy(io.Discard, in)
			return
		}
		for {
			var header [9]byte
			if _, err := io.ReadFull(in, header[:]); err != nil {
				return
			}
			_, _ = in.Discard(int(header[0])<<16 | int(header[1])<<8 | int(header[2]))
			switch {
			case header[3] != frameHeaders:
			case refuses && after != nil:
				_, _ = conn.Write(after)
				if ends {
					_ = conn.CloseWrite()
					_, _ = io.Copy(io.Discard, in)
					return
				}
			default:
				page := frame(frameHeaders, 1, 0x88) // :status 200 (RFC 7541 appendix A)
				page[4] = 0x5                        // END_STREAM and END_HEADERS
				_, _ = conn.Write(page)
			}
		}
	}), seen
}

// TestRequestNotProcessed: a request that an HTTP/2 server says it did not process is sent once more, and no other.
func TestRequestNotProcessed(t *testing.T) {
	for name, c := range map[string]struct {
		before, after []byte
		ends          bool
		// again is how many connections are made to a server that refuses always.
		again int32
		kind  observation.FailureKind
	}{
		"GOAWAY after the request":               {nil, goAway(0, 0), false, 2, observation.Unprocessed},
		"GOAWAY after the request, and the end":  {nil, goAway(0, 0), true, 2, observation.Unprocessed},
		"GOAWAY before the request":              {goAway(0, 0), nil, false, 2, observation.Unprocessed},
		"GOAWAY before the request, and the end": {goAway(0, 0), nil, true, 2, observation.Unprocessed},
		"GOAWAY with an error":                   {nil, goAway(0, calmDown), false, 2, observation.Unprocessed},
		"GOAWAY with an error, and the end":      {nil, goAway(0, calmDown), true, 2, observation.Unprocessed},
		"the stream is refused":                  {nil, resetStream(refusedStream), false, 2, observation.Unprocessed},
		"an error of the protocol":               {nil, resetStream(protocolError), false, 2, observation.Unprocessed},
		// These may have been processed.
		"GOAWAY that includes the request": {nil, goAway(1, 0), true, 1, observation.Invalid},
		"an error of the stream":           {nil, resetStream(internalError), false, 1, observation.Invalid},
		"the end after the request":        {nil, []byte{}, true, 1, observation.Closed},
	} {
		t.Run(name, func(t *testing.T) {
			address, seen := h2Server(t, 1, c.before, c.after, c.ends)
			if got := one(t, observe(t, at(t, target.HTTPS, address))); c.again == 2 && (got.Failure != nil || got.HTTP == nil || got.HTTP.Status != http.StatusOK) {
				t.Errorf("refused once: %+v, HTTP %+v", got.Failure, got.HTTP)
			}
			if seen.Load() != c.again {
				t.Errorf("refused once: %d connections, want %d", seen.Load(), c.again)
			}
			address, seen = h2Server(t, 1000, c.before, c.after, c.ends)
			failed(t, one(t, observe(t, at(t, target.HTTPS, address))), observation.PhaseHeaders, c.kind)
			if seen.Load() != c.again {
				t.Errorf("refused always: %d connections, want %d", seen.Load(), c.again)
			}
		})
	}
	t.Run("behind a redirect", func(t *testing.T) {
		address, seen := h2Server(t, 1, nil, goAway(0, 0), true)
		from := web(t, serving(t), func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://"+address+"/", http.StatusFound)
		})
		e := at(t, target.HTTPS, from)
		got := one(t, observe(t, e))
		if got.Failure != nil || len(got.HTTP.Hops) != 1 || seen.Load() != 2 || got.HTTP.Hops[0].Addresses[0].HTTP.Status != http.StatusOK {
			t.Errorf("%d connections, failure %+v, HTTP %+v", seen.Load(), got.Failure, got.HTTP)
		}
	})
}
