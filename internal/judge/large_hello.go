package judge

import (
	"fmt"

	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// largeHello is the finding for a handshake that fails because of the size of the ClientHello: something on the path loses it.
func (c *connection) largeHello(code finding.Code, f *observation.Failure) []finding.Finding {
	found := c.failed(code, f,
		fmt.Sprintf("%s %s a TLS ClientHello of %d bytes, but answers one of %d bytes without post-quantum key exchange: a firewall, proxy or other middlebox on the path, or the server, "+
			"cannot process a large ClientHello", c.name(), lostWords(f), f.Hello.Lost, f.Hello.Answered),
		"Update the firewall, proxy or load balancer in front of "+c.Address.Address+", or turn its TLS inspection off for this port: it must reassemble a ClientHello that arrives in several TCP segments. "+
			"Clients that send a small one (OpenSSL up to 3.4, older browsers) see nothing wrong. To compare, with OpenSSL 3.5 or later: `"+c.clientCommand()+" -groups X25519MLKEM768` and with `-groups X25519`.")
	found[0].Clients = clients.OfLargeHello()
	found[0].Evidence["client_hello_bytes"] = f.Hello.Lost
	found[0].Evidence["client_hello_answered_bytes"] = f.Hello.Answered
	return found
}

func lostWords(f *observation.Failure) string {
	switch f.Kind {
	case observation.TimedOut:
		return "does not answer"
	case observation.Reset:
		return "resets the connection on"
	case observation.Alert:
		return "rejects"
	}
	return "closes the connection on"
}
