package certtest

import (
	"fmt"
	"regexp"
	"strings"
)

// The commands that decide which certificate a listener presents.
var (
	classicCommand = regexp.MustCompile(`aws elb set-load-balancer-listener-ssl-certificate\b.*--load-balancer-name (\S+) --load-balancer-port (\d+) --ssl-certificate-id (\S+)`)
	modernCommand  = regexp.MustCompile(`aws elbv2 (modify-listener|add-listener-certificates|remove-listener-certificates)\b.*--listener-arn (\S+) --certificates CertificateArn=(\S+)`)
)

// Contradiction returns in what the remedies of one incident contradict each other; empty where they do not. Two commands make one
// listener present different certificates; one adds what another removes; or the certificate that one takes off a listener is to be renewed.
func Contradiction(remedies []string) string {
	presented, added, removed := map[string]string{}, map[string]bool{}, map[string]bool{}
	reattached, stays := false, false
	put := func(listener, certificate string) string {
		if before := presented[listener]; before != "" && before != certificate {
			return fmt.Sprintf("%s is to present %s and %s", listener, before, certificate)
		}
		presented[listener] = certificate
		return ""
	}
	for _, remedy := range remedies {
		reattached = reattached || strings.HasPrefix(remedy, "Reattach the declared certificate")
		stays = stays || strings.HasPrefix(remedy, "Leave the listener as it is")
		for _, c := range classicCommand.FindAllStringSubmatch(remedy, -1) {
			if found := put(c[1]+":"+c[2], c[3]); found != "" {
				return found
			}
		}
		for _, c := range modernCommand.FindAllStringSubmatch(remedy, -1) {
			switch key := c[2] + " " + c[3]; c[1] {
			case "modify-listener":
				if found := put(c[2], c[3]); found != "" {
					return found
				}
			case "add-listener-certificates":
				added[key] = true
			default:
				removed[key] = true
			}
		}
	}
	for key := range added {
		if removed[key] {
			return key + " is to be added and removed"
		}
	}
	if stays && len(presented)+len(added) > 0 {
		return "the listener is to be left as it is, and to be changed"
	}
	for _, remedy := range remedies {
		if reattached && (strings.HasPrefix(remedy, "Renew the certificate") || strings.Contains(remedy, "then import the new one")) {
			return "the declared certificate is to be reattached, and the other one to be renewed: " + remedy
		}
	}
	return ""
}
