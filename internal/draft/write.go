package draft

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"certdrift/internal/arn"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

// defaultEnvironment is the environment of load balancers that no Kubernetes object created.
const defaultEnvironment = "default"

// Draft is a drafted configuration.
type Draft struct {
	Text []byte
	// Endpoints is how many endpoints it has, Hostless how many others wait in comments for their hostname.
	Endpoints, Hostless int
}

// Write drafts a configuration. It loads without errors, also once what stands in comments is uncommented.
func Write(in Input) Draft {
	model := topology.Build(observation.Round{
		ListenersRead: in.Asked, LoadBalancers: in.Attached.LoadBalancers, Certificates: in.Attached.Certificates, Manifests: in.Manifests,
	}, in.Now)
	w := &writer{model: model, used: map[string]bool{}}
	w.line("# yaml-language-server: $schema=./certdrift.schema.json")
	w.line("# A first draft by `certdrift init`. Review and edit, then run: certdrift validate && certdrift check")
	w.line("version: 1")
	w.sources(in)
	w.environments(listeners(in, model))
	return Draft{[]byte(w.text.String()), w.endpoints, w.hostless}
}

type writer struct {
	text  strings.Builder
	model *topology.Topology
	used  map[string]bool // ENVIRONMENT/NAME
	// mark begins a line: "# " in what is commented out. It goes before comments, too: an editor that uncomments the lines leaves them.
	mark                string
	endpoints, hostless int
}

func (w *writer) line(format string, args ...any) {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	w.text.WriteString(w.mark + format + "\n")
}

// commentedOut runs what writes lines that are commented out.
func (w *writer) commentedOut(when bool, write func()) {
	before := w.mark
	if when {
		w.mark = "# "
	}
	write()
	w.mark = before
}

// sources writes where load balancers and manifests are.
func (w *writer) sources(in Input) {
	if in.Asked && len(in.Regions) > 0 {
		var regions []string
		for _, r := range in.Regions {
			regions = append(regions, scalar(r))
		}
		w.line("load_balancers:")
		w.line("  regions: [%s]", strings.Join(regions, ", "))
		if key, value := clusterTag(in.Attached.LoadBalancers); key != "" {
			w.line("  # tags: {%s: %s} # all load balancers have this tag; uncomment it to ignore others", scalar(key), scalar(value))
		}
	}
	if len(in.Paths) > 0 {
		var paths []string
		for _, p := range in.Paths {
			paths = append(paths, scalar(p))
		}
		w.line("manifests: [%s]", strings.Join(paths, ", "))
	}
	if len(in.Regions) == 0 && (in.Asked || len(in.Paths) == 0) {
		w.line("load_balancers: {} # in the region that certdrift runs in")
	}
}

// environments writes the environments. Endpoints without a known host are comments.
func (w *writer) environments(all []tlsListener) {
	names := map[string]bool{} // whether there is anything to probe
	var order []string
	for _, p := range all {
		hosts, _, _ := w.hostsOf(p)
		if _, seen := names[p.environment]; !seen {
			order = append(order, p.environment)
		}
		names[p.environment] = names[p.environment] || len(hosts) > 0
	}
	slices.SortStableFunc(order, func(a, b string) int { // those with endpoints first, so that comments come at the end
		switch {
		case names[a] == names[b]:
			return 0
		case names[a]:
			return -1
		}
		return 1
	})
	for i, environment := range order {
		w.commentedOut(!names[environment], func() {
			if i == 0 {
				w.line("environments:")
			}
			w.line("  %s:", scalar(environment))
			w.line("    endpoints:")
		})
		for _, p := range all {
			if p.environment == environment {
				hosts, _, _ := w.hostsOf(p)
				w.commentedOut(len(hosts) == 0, func() { w.listener(p) })
			}
		}
	}
}

// listener writes the endpoints behind a listener.
func (w *writer) listener(p tlsListener) {
	hosts, left, guessed := w.hostsOf(p)
	if p.source.File != "" {
		w.line("      # declared at %s:%d", clean(p.source.File), p.source.Line)
	}
	if p.disagrees() {
		w.line("      # The manifest declares %s, but a different certificate is attached: the next apply would replace it.", clean(p.declared[0]))
		w.line("      # The endpoint below has the attached certificate, which clients get today. Decide which is right.")
	}
	w.several(p)
	if guessed && len(hosts) > 0 {
		w.line("      # hosts taken from the certificate; keep those this listener serves")
	}
	for _, name := range left[:min(len(left), maxHosts)] {
		switch {
		case strings.HasPrefix(name, "*."):
			w.line("      # %s can't be probed: add an endpoint for each host that this listener serves", clean(name))
		default:
			w.line("      # left out: %s", clean(name))
		}
	}
	for _, host := range hosts {
		w.endpoints++
		w.endpoint(p, host)
	}
	if len(hosts) == 0 {
		w.hostless++
		w.line("      # Hostname unknown. Fill in HOST and uncomment:")
		w.endpoint(p, "")
	}
}

// several lists the certificates of a listener that has more than one: an endpoint can declare only one.
func (w *writer) several(p tlsListener) {
	arns := p.arns()
	if len(arns) < 2 {
		return
	}
	w.line("      # %d certificates are attached, the default first. Each endpoint declares the one that its host gets:", len(arns))
	for _, arn := range arns[:min(len(arns), maxHosts)] {
		line := "      #   " + clean(arn)
		if names := w.names(arn); len(names) > 0 {
			line += " for " + clean(strings.Join(names[:min(len(names), 3)], ", "))
		}
		w.line("%s", line)
	}
	if more := len(arns) - maxHosts; more > 0 {
		w.line("      #   and %d more", more)
	}
}

// balancerForm is the pattern of a load balancer's name.
var balancerForm = regexp.MustCompile(`^[A-Za-z0-9-]{1,32}$`)

func declarable(certificate string) bool {
	_, err := arn.Certificate(certificate)
	return err == nil
}

func (w *writer) endpoint(p tlsListener, host string) {
	shown := host
	if host == "" {
		shown = "HOST"
	}
	w.line("      - name: %s", scalar(w.unique(p, host)))
	w.line("        url: %s", p.url(shown))
	certificate, sure := w.selected(p, host)
	if len(p.arns()) > 1 && !sure {
		w.line("        # the default: no certificate above is known to cover this host. Replace it with the intended one")
	}
	if declarable(certificate) {
		w.line("        certificate: {arn: %s}", scalar(certificate))
	}
	if balancerForm.MatchString(p.balancer) {
		ref := fmt.Sprintf("name: %s, port: %d", scalar(p.balancer), p.port)
		if p.region != "" {
			ref += ", region: " + scalar(p.region)
		}
		w.line("        load_balancer: {%s}", ref)
	}
	if p.service != "" {
		w.line("        service: %s", scalar(p.service))
	}
}

// url returns an https URL, or a tls URL (a handshake only) if the listener may not serve HTTP.
func (p tlsListener) url(host string) string {
	switch {
	case p.kind == observation.Network, p.protocol == "SSL", p.protocol == "TLS":
		return fmt.Sprintf("tls://%s:%d", host, p.port)
	case p.port != 443:
		return fmt.Sprintf("https://%s:%d/", host, p.port)
	}
	return "https://" + host + "/"
}

// unique returns a name that no other endpoint of the environment has: the object's, with the host's first label if there are
// several, or with a number if that is taken too.
func (w *writer) unique(p tlsListener, host string) string {
	label, _, _ := strings.Cut(host, ".")
	candidates := []string{p.name, p.name + "-" + label, p.name + "-" + host}
	for n := 2; ; n++ {
		for _, c := range candidates {
			if key := p.environment + "/" + c; !w.used[key] {
				w.used[key] = true
				return c
			}
		}
		candidates = []string{fmt.Sprintf("%s-%d", p.name, n)}
	}
}

// plain is the pattern of a text that needs no quotes in YAML.
var plain = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._/-]*$`)

// scalar returns a text as YAML: Go's escapes are valid in YAML.
func scalar(text string) string {
	if plain.MatchString(text) && !slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}, strings.ToLower(text)) {
		return text
	}
	return strconv.QuoteToASCII(text)
}
