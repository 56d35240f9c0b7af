package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/arn"
	"certdrift/internal/finding"
	"certdrift/internal/topology"
)

// rowRemedy is what to do about a row: what to change for one that must not be applied, what is missing for one that is undecided.
func (x effect) rowRemedy(v Verdict) string {
	switch v {
	case Refuse, Warn:
		return x.remedy()
	case Undecided:
		return strings.Join(x.missing(), "\n")
	}
	return ""
}

func (x effect) remedy() string {
	if x.declaration.Listener != "" && x.listener != nil && len(x.breaks) == 0 && len(x.declaration.ARNs) > 0 {
		return "Apply " + x.declaration.ToFix() + ", or add the certificate by hand:\n" + x.listener.AddCommand(x.declaration.ARNs[0])
	}
	if !x.Round.Planned {
		return x.fix() + ". See what it would do:\ncertdrift plan -f " + topology.Shell(cleanPath(x.declaration.Source.File))
	}
	if removal := x.clearTheWay(); removal != "" {
		return removal
	}
	if renewal := x.renewal(); renewal != "" {
		return renewal
	}
	if x.declared == nil && x.changeSeverity() == finding.Warning && x.attached == topology.Different && len(x.declaration.ARNs) > 0 && len(x.endpoints) > 0 {
		return "If this change is intended, declare the certificate in the configuration, so that it is compared next time:\ncertificate: {arn: \"" +
			finding.Clean(x.declaration.ARNs[0], finding.QuoteLimit) + "\"}\nOtherwise: " + x.fix()
	}
	return x.fix()
}

// fix says what to change in the manifest.
func (x effect) fix() string {
	manifest := x.declaration.ToFix()
	text := "Fix " + manifest + " before the next apply"
	switch want := x.lacks(); {
	case x.declaration.RemovesListeners:
		return text + fmt.Sprintf(", if port %d should stay; otherwise remove its endpoints from the configuration", x.declaration.Port)
	case want != "" && x.declaration.WithoutCertificate(): // it may name the certificate, and not for this port
		return text + fmt.Sprintf(": port %d needs TLS there, with", x.declaration.Port) + x.apart() + finding.Clean(want, finding.QuoteLimit)
	case want != "":
		return text + ": declare" + x.apart() + finding.Clean(want, finding.QuoteLimit)
	case x.ending:
		return "Before the next apply, renew the certificate that expires soon, or specify one that lasts longer in " + manifest
	case len(x.breaks) == 0 && x.defaultChanges:
		return "List " + finding.Clean(x.listener.Attached[0].ARN, finding.QuoteLimit) + " first in " + manifest + " to keep it as the default"
	case len(x.breaks) == 0 && x.attached == topology.Same && len(x.dropped) > 0:
		return "To keep what would be detached, add it to " + manifest + " before the next apply"
	}
	if !x.Round.Planned || !x.rejected() {
		return text
	}
	text += ": declare a valid certificate for " + topology.Some(topology.Hosts(x.endpoints))
	if c := x.covering(); c != nil {
		text += ", such as\n" + finding.Clean(c.Record.ARN, finding.QuoteLimit)
	}
	return text
}

// apart goes before an ARN: a plan's stands on a line of its own, to be copied.
func (x effect) apart() string {
	if x.Round.Planned {
		return "\n"
	}
	return " "
}

// lacks is the certificate that the manifest should declare and does not: what the configuration declares, else what is
// attached where that is right; empty where none is known.
func (x effect) lacks() string {
	var wanted []string
	if x.declared != nil {
		arn, _ := x.DeclaredCertificate(*x.declared)
		wanted = append(wanted, arn)
	}
	if x.right() {
		for _, e := range x.endpoints {
			got, _ := x.listener.Select(e.Target.Host)
			wanted = append(wanted, got.ARN)
		}
	}
	for _, arn := range wanted {
		if arn != "" && !slices.Contains(x.declaration.ARNs, arn) {
			return arn
		}
	}
	return ""
}

// rejected reports whether clients of an endpoint would reject what they get.
func (x effect) rejected() bool {
	return len(x.endpoints) > 0 && slices.ContainsFunc(x.names(), func(n Name) bool { return n.Problem != "" })
}

// covering is a certificate of the account that covers the names of all endpoints and is valid for the longest; nil where none is known.
func (x effect) covering() *topology.Certificate {
	var best *topology.Certificate
	for _, r := range x.Round.Certificates {
		c := x.Certificate(r.ARN)
		_, end := c.Dates()
		severity, _ := x.Expiry(c, x.policy)
		usable := !c.Missing() && !c.Expired(x.Now) && severity == finding.None && (r.Status == "" || r.Status == "ISSUED") && x.attachable(r.ARN)
		if !usable || slices.ContainsFunc(x.endpoints, func(e *topology.Endpoint) bool { return !c.Covers(e.Target.Host) }) {
			continue
		}
		if best == nil {
			best = c
			continue
		}
		if _, latest := best.Dates(); cmp.Or(end.Compare(latest), strings.Compare(best.Record.ARN, r.ARN)) > 0 {
			best = c
		}
	}
	return best
}

// attachable reports whether AWS would attach a certificate to the listener.
func (x effect) attachable(text string) bool {
	a, ok := arn.Split(text)
	if !ok || x.listener == nil {
		return ok
	}
	lb := x.listener.LoadBalancer
	return (a.Region == "" || a.Region == lb.Region) && (lb.Account == "" || a.Account == lb.Account)
}

// clearTheWay is for a tool that leaves the SNI list alone: a certificate that stays in the list is served in place of the right one,
// which the listener would hold too. No manifest at hand removes it. It is empty where that is not all there is to it.
func (x effect) clearTheWay() string {
	if x.listener == nil {
		return ""
	}
	var lines []string
	for _, e := range x.endpoints {
		candidates, all := x.after.Candidates(e.Target.Host, x.Now)
		if !all || len(candidates) != 1 || x.serves(e, candidates[0]) {
			continue
		}
		got := candidates[0]
		if got.Default || !got.Listed || !x.listener.Has(got.ARN) || slices.Contains(x.declaration.ARNs, got.ARN) || x.wantedElsewhere(got.ARN) ||
			!slices.ContainsFunc(x.after.Attached, func(a *topology.Attachment) bool { return x.serves(e, a) }) {
			return ""
		}
		line := "Applying leaves " + topology.ShortARN(got.ARN) + " in the SNI list of " + x.listener.Label() + ", where it takes precedence. Remove it:\n" + x.listener.RemoveCommand(got.ARN)
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// serves reports whether a certificate is right for an endpoint: the declared one where one is declared, and valid for its name.
func (x effect) serves(e *topology.Endpoint, a *topology.Attachment) bool {
	if d := e.Target.Declared; d != nil && x.CompareDeclared(*d, a.ARN, a.Body()) != topology.Same {
		return false
	}
	return a.Covers(e.Target.Host) && !a.Expired(x.Now)
}

func (x effect) wantedElsewhere(arn string) bool {
	return slices.ContainsFunc(x.listener.Endpoints, func(e *topology.Endpoint) bool { return e.Target.Declared != nil && e.Target.Declared.ARN == arn })
}

// renewal is for a manifest that names the right certificate, which is expired, ends soon, or is gone: the certificate is what needs a
// change. It is empty where the manifest is wrong, or where that is not known.
func (x effect) renewal() string {
	if x.declared == nil || x.declared.ARN == "" || x.configured != topology.Same || x.lacks() != "" {
		return ""
	}
	text := x.declared.ARN
	a, ok := arn.Split(text)
	c := x.Certificate(text)
	spent := x.ending || c.Expired(x.Now) || c.Missing() && c.Body() == nil
	if !spent || !slices.Contains(x.declaration.ARNs, text) || !ok {
		return ""
	}
	other := "declare another in " + x.declaration.ToFix() + " and in the configuration"
	name := topology.ShortARN(text)
	where := " --region " + topology.Shell(a.Region) + " --certificate-arn " + topology.Shell(finding.Clean(text, finding.QuoteLimit))
	switch {
	case c.Missing() && c.Body() == nil, a.Region == "":
		return "Replace " + name + ": " + other + "."
	case c.Record.Type == "IMPORTED":
		return "Import a renewed certificate under the same ARN, or " + other + ":\naws acm import-certificate" + where +
			" --certificate fileb://cert.pem --private-key fileb://key.pem --certificate-chain fileb://chain.pem"
	}
	return "Find out why ACM has not renewed " + name + ", or " + other + ":\naws acm describe-certificate" + where
}

// renderRemedy is for documents that are not read.
const renderRemedy = "Pass what its tool renders instead: manifests, or a plan as JSON."

// missing says how to have an undecided effect decided.
func (x effect) missing() []string {
	d := x.declaration
	settle := "Settle this in " + d.ToFix() + ", or pass the manifests that it depends on as well."
	offline := x.attachedUnknown() == NotLookedUp
	switch {
	case d.OfTemplate() && (d.UndecidedBecause != "" || len(x.endpoints) > 0):
		return []string{"Plan the stack's change set instead: aws cloudformation describe-change-set --include-property-values prints it."}
	case d.UndecidedBecause != "":
		return []string{settle}
	case x.byController():
		return []string{"Name the certificate in " + d.ToFix() + "."}
	}
	var out []string
	if len(x.endpoints) == 0 {
		return []string{"Add the endpoint to the configuration, under environments.ENVIRONMENT.endpoints, with the certificate that is meant for it:",
			"- {name: NAME, url: \"https://HOST/\", " + x.reference() + ", certificate: {arn: \"ARN\"}}"}
	}
	if len(d.Pending) > 0 || d.Discovered {
		out = append(out, "Create the certificate first, in an apply of its own, then plan again.")
	}
	if x.makerUnknown() {
		out = append(out, "Name what makes the load balancer in "+d.ToFix()+": spec.loadBalancerClass, service.k8s.aws/nlb for the AWS Load Balancer Controller.")
	}
	unread := x.unread()
	if offline && (len(unread) > 0 || !x.after.known() || x.unseenMembers()) {
		out = append(out, "Run certdrift plan without --offline.")
	}
	if x.unseenMembers() {
		out = append(out, "To decide without AWS, pass all Ingresses of the group, and --whole-groups.")
	}
	if len(unread) > 0 {
		out = append(out, "To decide without AWS, save the certificate in a file and name it in the configuration:",
			"certificates: [{arn: \""+finding.Clean(unread[0], finding.QuoteLimit)+"\", file: FILE.pem}]")
	}
	if !offline && d.Restates {
		out = append(out, "Create a drift-aware change set (--deployment-mode REVERT_DRIFT), and plan that.")
	}
	if x.attachedUnknown() == Unreadable {
		out = append(out, "Give certdrift the permissions that the other findings name, then plan again.")
	}
	if len(out) == 0 {
		out = append(out, settle)
	}
	return out
}

// unread are the ARNs that the listener would hold of which nobody knows what is under them.
func (x effect) unread() []string {
	var out []string
	for _, a := range x.after.Attached {
		if a.ARN != "" && !a.Named() && !a.Missing() {
			out = append(out, a.ARN)
		}
	}
	return out
}

// reference is how an endpoint of the configuration names what is in front of it.
func (x effect) reference() string {
	if l := x.listener; l != nil {
		return "load_balancer: {name: " + finding.Clean(l.LoadBalancer.Name, finding.QuoteLimit) + "}"
	}
	if service := x.declaration.Service; service != "" {
		return "service: " + finding.Clean(service, finding.QuoteLimit)
	}
	return "load_balancer: {name: " + cmp.Or(finding.Clean(x.declaration.LoadBalancer, finding.QuoteLimit), "…") + "}"
}

func cleanPath(path string) string {
	if path == "" {
		return "MANIFEST"
	}
	return finding.Clean(path, finding.QuoteLimit)
}
