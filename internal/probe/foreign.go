package probe

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/probe/netguard"
	"certdrift/internal/probe/starttls"
	"certdrift/internal/target"
)

// wordsWait is how long a server gets to complete the first line of what it says instead of TLS.
const wordsWait = 500 * time.Millisecond

// seekProtocol finds out which protocol a server speaks instead of the expected one, if it can be recognized: by the start of what
// the connection received (greeting, from before the handshake, and what followed), or else by asking.
func (v *endpointProbe) seekProtocol(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit, conn *countingConn, greeting []byte, f *observation.Failure) {
	v.nameForeign(o, conn, greeting, f)
	if f.Speaks != "" {
		return
	}
	v.seekPlainHTTP(ctx, o, at, allow, received(conn), f)
	if received(conn) == 0 {
		v.askForeign(ctx, o, at, allow, f)
	}
}

// nameForeign records what a server said where TLS was expected, and which protocol its words are in.
func (v *endpointProbe) nameForeign(o *origin, conn *countingConn, greeting []byte, f *observation.Failure) {
	said := conn.heard.take()
	if f.Kind == observation.NotTLS || f.Kind == observation.Plaintext || f.Kind == observation.StartTLSRefused {
		said = append(said, restOfLine(conn, said)...)
	}
	if f.Speaks = foreign(o, append(greeting, said...)); f.Speaks == "" && len(greeting) > 0 {
		f.Speaks = foreign(o, said)
	}
	if f.Kind == observation.Plaintext && (f.Speaks == observation.Protocol(target.XMPP) || f.Speaks == observation.Protocol(target.XMPPServer)) {
		f.Kind = observation.NotTLS // XML, but not HTTP
	}
	if f.Kind == observation.NotTLS {
		f.Said = v.secrets.Show(firstLine(said), finding.QuoteLimit)
	}
}

// foreign returns the protocol that a server speaks if it is not the origin's own.
func foreign(o *origin, said []byte) observation.Protocol {
	speaks := recognize(said, o.port)
	if speaks == observation.Protocol(o.kind) || speaks == observation.SMTPOrFTP && (o.kind == target.SMTP || o.kind == target.FTP) ||
		o.kind == target.HTTPS && speaks == observation.Protocol(target.TLS) {
		return ""
	}
	return speaks
}

// restOfLine reads on to the end of a line. An error says nothing more: the probe has failed already.
func restOfLine(conn *countingConn, said []byte) []byte {
	_ = conn.SetReadDeadline(time.Now().Add(wordsWait))
	var rest []byte
	for len(said)+len(rest) < maxHeard && !bytes.ContainsRune(said, '\n') && !bytes.ContainsRune(rest, '\n') {
		more := make([]byte, maxHeard-len(said)-len(rest))
		n, err := conn.Read(more)
		rest = append(rest, more[:n]...)
		if err != nil {
			break
		}
	}
	return rest
}

// firstLine returns the first line that is not empty.
func firstLine(said []byte) string {
	line, _, _ := strings.Cut(strings.TrimLeft(string(said), "\r\n"), "\n")
	return strings.TrimRight(line, "\r")
}

// opener is what a client says first in a protocol whose servers wait for it, and how to know the answer.
type opener struct {
	protocol observation.Protocol
	ports    []int
	hello    string
	answered func(said []byte) bool
}

// openers returns those that may be asked of a server at a port, those of the port first.
func openers(host string, port int) []opener {
	one := func(letters string) func([]byte) bool {
		return func(said []byte) bool { return len(said) == 1 && strings.Contains(letters, string(said)) }
	}
	known := func(protocols ...observation.Protocol) func([]byte) bool {
		return func(said []byte) bool { return slices.Contains(protocols, recognize(said, port)) }
	}
	ldap, xmpp, xmppServer := observation.Protocol(target.LDAP), observation.Protocol(target.XMPP), observation.Protocol(target.XMPPServer)
	stream := opener{xmpp, []int{5222}, starttls.XMPPHeader(host, "jabber:client"), known(xmpp, xmppServer)}
	if port == target.XMPPServer.DefaultPort() {
		stream = opener{xmppServer, []int{port}, starttls.XMPPHeader(host, "jabber:server"), stream.answered}
	}
	all := []opener{
		{observation.Protocol(target.Postgres), []int{5432, 6432}, starttls.SSLRequest, one("SN")},
		{ldap, []int{389, 3268}, starttls.LDAPStartTLS, known(ldap)},
		stream,
		// A connection request of X.224 in TPKT, with RDP's negotiation of TLS.
		{observation.RDP, []int{3389}, "\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00", known(observation.RDP)},
	}
	if i := slices.IndexFunc(all, func(o opener) bool { return slices.Contains(o.ports, port) }); i > 0 {
		all[0], all[i] = all[i], all[0]
	}
	return all
}

// askForeign asks a server that sent nothing which protocol it speaks: some wait for the client, and then close or ignore what
// they cannot read. A server that hung up is asked in every such protocol, one that is silent only in that of its port, since
// each look may take seconds.
func (v *endpointProbe) askForeign(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit, f *observation.Failure) {
	if f.Kind != observation.Closed && f.Kind != observation.Reset && f.Kind != observation.TimedOut || f.Detail == closesAtOnce {
		return
	}
	if o.kind.StartTLS() && f.Phase == observation.PhaseStartTLS && v.saysTLS(ctx, o, at, allow) {
		f.Speaks = observation.Protocol(target.TLS)
		return
	}
	for _, q := range usualOpeners(o, f) {
		said, err := v.ask(ctx, at, allow, q.hello)
		if q.answered(said) {
			if f.Speaks = recognize(said, o.port); f.Speaks == "" { // a letter
				f.Speaks = q.protocol
			}
			return
		}
		if isTimeout(err) || errors.Is(err, errHangsUp) {
			return
		}
	}
}

// usualOpeners returns what to ask a server that failed.
func usualOpeners(o *origin, f *observation.Failure) []opener {
	return slices.DeleteFunc(openers(o.host, o.port), func(q opener) bool {
		usual := slices.Contains(q.ports, o.port)
		return q.protocol == observation.Protocol(o.kind) || !usual && (f.Kind == observation.TimedOut || o.kind.StartTLS() || o.port == target.HTTPS.DefaultPort())
	})
}

// errHangsUp is returned if a server closed a connection before anything was sent over it.
var errHangsUp = errors.New(closesAtOnce)

// saysTLS reports whether a server answers a ClientHello as the first thing that it is sent.
func (v *endpointProbe) saysTLS(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit) bool {
	hello, err := widestHello(o.sni()).message()
	if err != nil {
		return false
	}
	var said []byte
	v.looks.take(ctx, func() bool {
		said, err = v.ask(ctx, at, allow, string(inRecord(hello)))
		return isTimeout(err)
	})
	return recognize(said, o.port) == observation.Protocol(target.TLS)
}

// ask sends something over a new connection and returns what the server says at once.
func (v *endpointProbe) ask(ctx context.Context, at netip.AddrPort, allow netguard.Permit, hello string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, min(v.timeout, plainWait))
	defer cancel()
	conn, err := v.dial(ctx, allow, at)
	if err != nil {
		return nil, err
	}
	defer conn.Close() //nolint:errcheck // nothing is left to be written
	defer interrupt(ctx, conn)()
	if hangsUp(ctx, conn) {
		return nil, errHangsUp
	}
	if _, err := io.WriteString(conn, hello); err != nil {
		return nil, err
	}
	said := make([]byte, maxHeard)
	n, err := conn.Read(said)
	return said[:n], err
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

// nameForeignAnswer records the protocol of a server that answered an HTTP request with something else.
func nameForeignAnswer(o *origin, said []byte, f *observation.Failure) {
	if speaks := recognize(said, o.port); f.Kind == observation.Invalid && speaks != observation.Protocol(target.HTTP) {
		f.Speaks = speaks
	}
}
