package netguard

import "net/netip"

// RuntimeAPI is where Lambda serves a function's events and takes its responses. A request there could consume the next event,
// so it is never dialed, whatever the configuration says. The zero value stands for none, as outside of Lambda.
type RuntimeAPI struct {
	addr netip.Addr // invalid if the host is a name
	port uint16
}

// ParseRuntimeAPI reads AWS_LAMBDA_RUNTIME_API, a HOST:PORT; empty, or anything else, stands for none.
func ParseRuntimeAPI(address string) RuntimeAPI {
	host, port, err := SplitHostPort(address)
	if err != nil {
		return RuntimeAPI{}
	}
	api := RuntimeAPI{port: port}
	if a, ok := ParseHost(host); ok {
		api.addr = a
	}
	return api
}

// at reports whether an address leads to the Runtime API. Its port counts on every address that may be this machine's own:
// all of 127.0.0.0/8 is, 0.0.0.0 is for Linux, and Lambda uses link-local addresses.
func (r RuntimeAPI) at(to netip.AddrPort) bool {
	if r.port == 0 || r.port != to.Port() {
		return false
	}
	switch classify(to.Addr()) {
	case loopback, unspecified, linkLocal:
		return true
	}
	return r.addr == plain(to.Addr())
}
