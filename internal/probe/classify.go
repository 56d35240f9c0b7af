package probe

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"certdrift/internal/observation"
	"certdrift/internal/probe/netguard"
)

// errPhase is why a phase's context ended: the phase took longer than the endpoint's timeout.
var errPhase = errors.New("the phase took longer than the timeout")

// fail makes a Failure of an error: its kind from the error, its detail cleaned and cut.
func fail(phase observation.Phase, err error) *observation.Failure {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		err = errPhase // more specific
	}
	f := &observation.Failure{Phase: phase, Detail: detail(err)}
	switch phase {
	case observation.PhaseDNS:
		f.Kind = dnsKind(err)
	case observation.PhaseConnect:
		f.Kind = connectKind(err)
		f.Local = localFault(err)
	case observation.PhaseStartTLS:
		f.Kind = networkKind(err)
	case observation.PhaseTLS:
		f.Kind = tlsKind(err)
		f.Alert = receivedAlert(err)
	case observation.PhaseHeaders, observation.PhaseBody:
		f.Kind = httpKind(phase, err)
		f.Alert = receivedAlert(err)
	}
	switch f.Kind {
	case "":
		f.Kind = observation.Other
	case observation.ChainMalformed:
		// The chain is encrypted in TLS 1.3, and crypto/tls hands out none of it where one certificate cannot be parsed.
		f.Detail += chainHidden
	}
	return f
}

// chainHidden is appended to the detail where a malformed chain cannot be seen.
const chainHidden = " (none of the chain can be shown)"

// networkKind classifies errors that any connection may have; empty for other errors.
func networkKind(err error) observation.FailureKind {
	var netErr net.Error
	switch {
	case errors.As(err, new(*netguard.BlockedError)):
		return observation.Blocked
	case errors.Is(err, errPhase), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.Is(err, syscall.ETIMEDOUT), errors.As(err, &netErr) && netErr.Timeout():
		return observation.TimedOut
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED):
		return observation.Reset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return observation.Closed
	}
	return ""
}

func dnsKind(err error) observation.FailureKind {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return observation.NotFound
	case networkKind(err) == observation.TimedOut:
		return observation.TimedOut
	}
	return observation.ResolverFailed
}

func connectKind(err error) observation.FailureKind {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return observation.Refused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTDOWN),
		localFault(err):
		return observation.Unreachable
	}
	return networkKind(err)
}

// localFault reports whether this machine could not send, which says nothing about the endpoint: no route for the
// address family, a local firewall, no port left.
func localFault(err error) bool {
	return errors.Is(err, errNoRoute) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM) ||
		errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}

// exhausted reports whether this machine had no resources left to open a connection: a problem of certdrift's own.
func exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOBUFS) ||
		errors.Is(err, syscall.ENOMEM)
}

// tlsKind classifies handshake errors. Where crypto/tls has no type for an error, its text decides; a test checks each text
// against the Go release in use.
func tlsKind(err error) observation.FailureKind {
	if alert := receivedAlert(err); alert != "" {
		if alert == "protocol_version" {
			return observation.VersionOld // TLS 1.0 to 1.3 were offered
		}
		return observation.Alert
	}
	var header tls.RecordHeaderError
	if errors.As(err, &header) {
		if plainHTTP(header.RecordHeader[:]) {
			return observation.Plaintext
		}
		return observation.NotTLS
	}
	if kind := networkKind(err); kind != "" {
		return kind
	}
	text := err.Error()
	switch {
	case strings.Contains(text, "server selected unsupported protocol version"):
		return observation.VersionOld
	case strings.Contains(text, "handshake message of length") && strings.Contains(text, "exceeds maximum of 262144 bytes"):
		return observation.ChainOversized // crypto/tls has this bound for certificates only, 64 KiB for all else
	case strings.Contains(text, "failed to parse certificate"):
		return observation.ChainMalformed
	case strings.Contains(text, "empty certificates message"),
		// TLS 1.2: the message is the expected one, but empty.
		strings.Contains(text, "of type *tls.certificateMsg when waiting for *tls.certificateMsg"):
		return observation.NoCertificate
	}
	return observation.HandshakeFailed
}

// plainHTTP reports whether the first bytes of an answer to a ClientHello are those of a plain HTTP server: a status line, or
// an HTTP/0.9 page without one.
func plainHTTP(start []byte) bool {
	for _, prefix := range []string{"HTTP/", "<!DOC", "<html", "<HTML", "<?xml", "<head", "<HEAD", "<h1>"} {
		if bytes.HasPrefix(start, []byte(prefix[:min(5, len(prefix))])) {
			return true
		}
	}
	return false
}

// httpKind classifies errors of a request. Anything but a network error or an exceeded bound is a response that net/http
// cannot parse.
func httpKind(phase observation.Phase, err error) observation.FailureKind {
	if receivedAlert(err) != "" {
		return observation.Alert
	}
	switch {
	case errors.Is(err, errTooLarge), passedBound(err.Error()):
		return observation.TooLarge
	case errors.Is(err, errDialedOnce):
		return observation.Closed
	}
	kind := networkKind(err)
	if kind == "" || kind == observation.Closed && phase == observation.PhaseBody {
		return observation.Invalid
	}
	return kind
}

// passedBound reports whether an error is an exceeded bound and not a parse error: on headers (interim ones included),
// trailers, a line of chunked encoding, or chunked encoding's overhead. net/http has no types for its own bounds, and over
// HTTP/2 it keeps only the text of errors returned to it.
func passedBound(text string) bool {
	for _, words := range []string{
		errInterim.Error(), errFlood.Error(), "response headers exceeded", "header list larger", "header list too large",
		"suspiciously long trailer", "header line too long", "chunked encoding contains too much non-data",
	} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}
