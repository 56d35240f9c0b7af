package netguard

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// privateNetworks are what the configuration may open: RFC 1918, RFC 6598, RFC 4193, and 198.18.0.0/15, which AWS allows for
// VPCs too.
func privateNetworks() []netip.Prefix {
	p := netip.MustParsePrefix
	return []netip.Prefix{
		p("10.0.0.0/8"), p("172.16.0.0/12"), p("192.168.0.0/16"), p("100.64.0.0/10"), p("198.18.0.0/15"), p("fc00::/7"),
	}
}

// ParseNetwork reads a private network in CIDR notation. The error says what is wrong with the text, in a sentence that begins
// with it.
func ParseNetwork(text string) (netip.Prefix, error) {
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, errors.New("is not a network in CIDR notation")
	}
	if masked := network.Masked(); masked != network {
		return netip.Prefix{}, fmt.Errorf("is an address within %s, not a network", masked)
	}
	var known []string
	for _, private := range privateNetworks() {
		known = append(known, private.String())
		if private.Bits() <= network.Bits() && private.Contains(network.Addr()) {
			return network, nil
		}
	}
	return netip.Prefix{}, fmt.Errorf("is not within a private network (%s)", strings.Join(known, ", "))
}
