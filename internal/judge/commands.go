package judge

import (
	"fmt"
	"strings"

	"certdrift/internal/observation"
)

// attachCommand is the command that gives a client that asks for host the certificate of an ARN: in place of the
// attached one, or beside the others where they serve other names.
func (l *listener) attachCommand(arn, host string) string {
	if l.loadBalancer.Kind == observation.Classic {
		return l.attachDefault(arn)
	}
	got, _ := l.offer(host)
	switch {
	case got != nil && !got.Default && l.has(arn):
		// Both are attached, and the load balancer prefers the wrong one.
		return l.v2("remove-listener-certificates", got.ARN)
	case got != nil && !got.Default:
		return l.v2("add-listener-certificates", arn) + "\n" + l.v2("remove-listener-certificates", got.ARN)
	case got != nil && l.serveOthers(got.ARN, arn):
		return l.v2("add-listener-certificates", arn)
	}
	return l.attachDefault(arn)
}

// attachDefault is the command that makes a certificate the listener's only one (classic), or its default.
func (l *listener) attachDefault(arn string) string {
	lb := l.loadBalancer
	if lb.Kind == observation.Classic {
		return fmt.Sprintf("aws elb set-load-balancer-listener-ssl-certificate --region %s --load-balancer-name %s --load-balancer-port %d --ssl-certificate-id %s",
			shell(lb.Region), shell(lb.Name), l.Port, shell(arn))
	}
	return l.v2("modify-listener", arn)
}

func (l *listener) v2(verb, arn string) string {
	return fmt.Sprintf("aws elbv2 %s --region %s --listener-arn %s --certificates CertificateArn=%s",
		verb, shell(l.loadBalancer.Region), shell(l.ARN), shell(arn))
}

// has reports whether a certificate is attached, by its ARN.
func (l *listener) has(arn string) bool {
	for _, a := range l.attached {
		if a.ARN == arn {
			return true
		}
	}
	return false
}

// serveOthers reports whether the attached certificate is the right one for some other endpoint, which changing the
// default to arn would break.
func (l *listener) serveOthers(attached, arn string) bool {
	for _, e := range l.wanted(attached) {
		d := e.Target.Declared
		if d == nil && !l.world.body(arn).covers(e.Target.Host) || d != nil && d.ARN == attached {
			return true
		}
	}
	return false
}

// shell quotes a word for a POSIX shell where it needs it.
func shell(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@+,", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// attachAgain is the command that attaches what is attached already, so that the nodes take it up.
func (l *listener) attachAgain(a *attachment) string {
	switch {
	case l.loadBalancer.Kind == observation.Classic, a.Default:
		return l.attachDefault(a.ARN)
	}
	return l.v2("add-listener-certificates", a.ARN)
}
