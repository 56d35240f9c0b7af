package topology

import (
	"fmt"
	"strings"

	"certdrift/internal/observation"
)

// AttachCommand is the command after which clients that ask for host get the certificate of an ARN: in place of the
// attached one, or beside the others where they serve other names.
func (l *Listener) AttachCommand(arn, host string) string {
	if l.LoadBalancer.Kind == observation.Classic {
		return l.attachDefault(arn)
	}
	got, _ := l.Select(host)
	switch {
	case got != nil && !got.Default && l.Has(arn):
		// Both are attached, and the load balancer prefers the wrong one.
		return l.RemoveCommand(got.ARN)
	case got != nil && !got.Default:
		return l.AddCommand(arn) + "\n" + l.RemoveCommand(got.ARN)
	case got != nil && l.servesOthers(got.ARN, arn):
		return l.AddCommand(arn)
	}
	return l.attachDefault(arn)
}

// attachDefault is the command that makes a certificate the listener's only one (classic), or its default.
func (l *Listener) attachDefault(arn string) string {
	lb := l.LoadBalancer
	if lb.Kind == observation.Classic {
		return fmt.Sprintf("aws elb set-load-balancer-listener-ssl-certificate --region %s --load-balancer-name %s --load-balancer-port %d --ssl-certificate-id %s",
			Shell(lb.Region), Shell(lb.Name), l.Port, Shell(arn))
	}
	return l.command("modify-listener", arn)
}

// AddCommand is the command that adds a certificate to the listener's SNI list.
func (l *Listener) AddCommand(arn string) string { return l.command("add-listener-certificates", arn) }

// RemoveCommand is the command that removes a certificate from the listener's SNI list.
func (l *Listener) RemoveCommand(arn string) string {
	return l.command("remove-listener-certificates", arn)
}

func (l *Listener) command(verb, arn string) string {
	return fmt.Sprintf("aws elbv2 %s --region %s --listener-arn %s --certificates CertificateArn=%s",
		verb, Shell(l.LoadBalancer.Region), Shell(l.ARN), Shell(arn))
}

// servesOthers reports whether the attached certificate is the right one for some other endpoint, which changing the
// default to arn would break.
func (l *Listener) servesOthers(attached, arn string) bool {
	for _, e := range l.Receivers(attached) {
		d := e.Target.Declared
		if d == nil && !l.topology.Certificate(arn).Covers(e.Target.Host) || d != nil && d.ARN == attached {
			return true
		}
	}
	return false
}

// Shell quotes a word for a POSIX shell where it needs it.
func Shell(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@+,", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// AttachAgain is the command that attaches what is attached already, so that the nodes take it up.
func (l *Listener) AttachAgain(a *Attachment) string {
	switch {
	case l.LoadBalancer.Kind == observation.Classic, a.Default:
		return l.attachDefault(a.ARN)
	}
	return l.AddCommand(a.ARN)
}
