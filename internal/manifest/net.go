package manifest

import (
	"encoding/base64"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/yamldoc"
)

// certificateNames are the names that give a certificate, or the ports for it, to a load balancer: annotations, wherever a tool
// keeps them before they reach an object, and references to certificates.
var certificateNames = [...]string{
	"aws-load-balancer-ssl-", ingressPrefix + "certificate-arn", ingressPrefix + "create-acm-cert", ingressPrefix + "listen-ports",
	"certificateArnRef", "certificateArnSelector", "certificateARNRef", "certificateARNSelector",
	"modify-listener", "listener-certificates", "listener-ssl-certificate", // commands of the AWS CLI
	stackListener, stackClassic, // of a template in a template
}

// namesCertificate returns what in a text may put a certificate on a load balancer, for people: a certificate's ARN, whole or with
// holes for a template's values, or the name of an annotation for one. It is empty if there is nothing.
func namesCertificate(text string) string {
	if strings.Contains(text, ":server-certificate/") || strings.Contains(text, ":acm:") && strings.Contains(text, ":certificate/") {
		return "the ARN of a certificate"
	}
	text = spelled.Replace(text)
	for _, name := range certificateNames {
		if strings.Contains(text, name) {
			return finding.Quote(strings.TrimSuffix(name, "-"))
		}
	}
	return ""
}

// spelled undoes what other formats do to a name: JSON patches write / as ~1 (RFC 6901 §3), and Helm's parameters write a dot within a
// key as \\. (https://helm.sh/docs/intro/using_helm/#the-format-and-limitations-of---set).
var spelled = strings.NewReplacer("~1", "/", `\`, "")

// passOver notes an object that is not understood.
func (r *reader) passOver(line, column int, object, why, remedy string) {
	r.passedOver = append(r.passedOver, observation.PassedOver{Position: r.at(line, column), Object: finding.Clean(object, finding.QuoteLimit), Why: why, Remedy: remedy})
}

// The remedies of what is not understood. Without one, what the document's tool renders is missing.
const (
	renderRemedy     = ""
	annotationRemedy = "Correct the annotation, or remove it if nothing reads it."
	objectsRemedy    = "Pass the objects that are missing as well. Those of the cluster: kubectl get KIND -A -o yaml."
	resourceRemedy   = "Check by hand what it attaches. What it renders, certdrift can plan on its own; this row stays undecided."
	changeSetRemedy  = "Plan the stack's change set instead: aws cloudformation describe-change-set --include-property-values prints it."
)

// maxNested bounds how deep certificate looks: aliases may lead in circles.
const maxNested = 2_500

// certificate finds the first key or value of a node, also behind aliases and any tag, that may put a certificate on a load
// balancer. Comments do not count.
func (t tree) certificate(n ast.Node, depth int) (at ast.Node, what string) {
	return t.certificateBut(n, nil, depth)
}

// certificateBut passes over what is known, keys and values.
func (t tree) certificateBut(n ast.Node, known map[ast.Node]bool, depth int) (at ast.Node, what string) {
	if depth > maxNested || known[n] || !t.doc.Spend(1) {
		return nil, ""
	}
	value := t.doc.Follow(n)
	if entries, ok := yamldoc.Entries(value); ok {
		for _, e := range entries {
			for _, part := range []ast.Node{e.Key, e.Value} {
				if at, what := t.certificateBut(part, known, depth+1); what != "" {
					return at, what
				}
			}
		}
		return nil, ""
	}
	if list, ok := value.(*ast.SequenceNode); ok {
		for _, item := range list.Values {
			if at, what := t.certificateBut(item, known, depth+1); what != "" {
				return at, what
			}
		}
		return nil, ""
	}
	text, _ := yamldoc.Text(value)
	return value, namesCertificate(text)
}

// caught notes an object that nothing else reads, if it may put a certificate on a load balancer. It is the net under everything:
// what it catches makes a plan undecided.
func (o object) caught(version string) bool {
	if o.kind == "CustomResourceDefinition" && apiGroup(version) == "apiextensions.k8s.io" {
		return false // it describes fields and sets none
	}
	line, column := o.position(o.node)
	if why := o.foreignFormat(version); why != "" {
		o.passOver(line, column, o.label(), why, renderRemedy)
		return true
	}
	at, what := o.certificate(o.node, 0)
	if what == "" {
		at, what = o.encoded()
	}
	if what == "" {
		return false
	}
	line, column = o.position(at)
	o.passOver(line, column, o.label(), "certdrift does not read "+o.described(version)+", and this one contains "+what, renderRemedy)
	return true
}

// encoded finds a certificate in what an object holds in Base64: the values of a chart that a generator put into a Secret, for one.
func (o object) encoded() (at ast.Node, what string) {
	for _, field := range []string{"data", "binaryData"} {
		entries, _ := o.doc.Entries(o.get(o.node, field))
		for _, e := range entries {
			text, _ := yamldoc.Text(o.doc.Follow(e.Node.Value))
			if plain, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err == nil {
				if what := namesCertificate(string(plain)); what != "" {
					return e.Node.Key, what
				}
			}
		}
	}
	return nil, ""
}

// foreignFormat says why a document is not read whose format can put certificates on load balancers without naming any; empty if it
// is of no such format.
func (o object) foreignFormat(version string) string {
	_, code := o.doc.Entries(o.get(o.node, "resource"))
	switch {
	case o.kind == "" && (code || strings.HasSuffix(o.file, ".tf.json")):
		return "certdrift reads Terraform's plans, not its code: pass it the output of `terraform show -json PLAN`"
	case o.kustomizes(version):
		return "certdrift does not render kustomizations: pass it the output of `kustomize build DIRECTORY`"
	case operated.MatchString(version) && strings.Contains(o.kind, "Listener"):
		return "certdrift does not read " + o.described(version) + ", which may refer to a certificate"
	}
	return ""
}

// operated are the API groups of operators that make listeners of load balancers: AWS Controllers for Kubernetes, Crossplane.
var operated = regexp.MustCompile(`^(elbv2|elb|elasticloadbalancing)\..*(services\.k8s\.aws|crossplane\.io|upbound\.io)/`)

// kustomizes reports whether a kustomization makes other objects of the files beside it than they show. One that lists them, and changes
// nothing that matters for certificates, says nothing new where its directory is read.
func (o object) kustomizes(version string) bool {
	base := path.Base(strings.ReplaceAll(o.file, `\`, "/"))
	named := strings.HasPrefix(version, "kustomize.config.k8s.io/")
	if !named && (o.kind != "" || base != "kustomization.yaml" && base != "kustomization.yml" && base != "Kustomization") {
		return false
	}
	entries, _ := o.doc.Entries(o.node)
	return o.named || slices.ContainsFunc(entries, func(e yamldoc.Entry) bool { return !plainKustomization[e.Key] }) ||
		slices.ContainsFunc(o.items(o.node, "resources"), func(n ast.Node) bool { return !isBeside(o.text(n)) })
}

// plainKustomization are the fields of a kustomization that change nothing about load balancers, but for its resources.
var plainKustomization = map[string]bool{
	"apiVersion": true, "kind": true, "metadata": true, "resources": true, "images": true, "replicas": true, "labels": true, "commonLabels": true,
	"configMapGenerator": true, "secretGenerator": true, "generatorOptions": true, "sortOptions": true, "buildMetadata": true,
}

// isBeside reports whether a resource of a kustomization is a file in its directory or below.
func isBeside(resource string) bool {
	return isManifest(resource) && !strings.Contains(resource, "..") && !strings.Contains(resource, ":") && !strings.HasPrefix(resource, "/")
}

// label is KIND NAMESPACE/NAME, or what the document is.
func (o object) label() string {
	switch {
	case o.kind == "":
		return "a document without a kind"
	case o.text(o.node, "metadata", "namespace") != "":
		return o.kind + " " + o.name()
	}
	return strings.TrimSpace(o.kind + " " + o.text(o.node, "metadata", "name"))
}

// described is the object's kind in a sentence.
func (o object) described(version string) string {
	switch {
	case o.kind == "":
		return "documents without a kind"
	case version == "":
		return "objects of kind " + finding.Quote(o.kind) + " without an apiVersion"
	}
	return "objects of kind " + finding.Quote(o.kind) + " (" + finding.Clean(version, finding.QuoteLimit) + ")"
}

// unread deals with an object that nothing reads: the net catches it; else what kubectl refuses is an error, if the file was named
// as a manifest, and anything else is none of certdrift's business.
func (o object) unread(version string) {
	_, isMapping := o.doc.Entries(o.node)
	line, column := o.position(o.node)
	scalar := false
	if !isMapping {
		_, scalar = yamldoc.Text(o.node)
	}
	switch {
	case o.caught(version):
	case !isMapping && (scalar || o.named):
		o.errorAt(line, column, "this is not a manifest, plan or template: "+yamldoc.Kind(o.node)+" where kubectl expects an object", noManifestHint)
	case (o.kind == "" || version == "") && o.named:
		lacks := "kind"
		if o.kind != "" {
			lacks = "apiVersion"
		}
		o.errorAt(line, column, "this is not a manifest, plan or template: it has no "+lacks+", and kubectl refuses it", noManifestHint)
	case o.kind == "Status" && version == "v1" || apiGroup(version) == "meta.k8s.io":
		o.errorAt(line, column, "this is an answer of the API server ("+finding.Clean(o.kind+" "+o.text(o.node, "message"), finding.QuoteLimit)+"), not a manifest, and kubectl refuses it", noManifestHint)
	case o.kind == "Service" && version != "" && !strings.Contains(version, "/"):
		o.errorAt(line, column, "Service "+o.name()+": Services have no apiVersion "+finding.Quote(version)+", and kubectl refuses it", "write apiVersion: v1")
	case o.kind != "" && version != "":
		o.understood++
	}
}

const noManifestHint = "check the output of the previous command; certdrift reads Kubernetes objects (YAML or JSON), the output of `terraform show -json PLAN` and `pulumi preview --json`, and CloudFormation templates and change sets"

// lastApplied is where kubectl keeps the manifest that it applied before.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// strangeAnnotations notes annotations of an object that is read, other than its own for certificates, that hold one: another controller, or
// another spelling of its prefix, may read them.
func (o object) strangeAnnotations(own string) {
	annotations, _ := o.doc.Entries(o.get(o.node, "metadata", "annotations"))
	for _, e := range annotations {
		text, _ := yamldoc.Text(o.doc.Value(e.Node.Value))
		if !relevant(e.Key) {
			text += "\n" + e.Key
		}
		what := namesCertificate(text)
		if what == "" || e.Key == own || e.Key == lastApplied || e.Key == ingressPlan {
			continue
		}
		line, column := o.position(e.Node.Key)
		o.passOver(line, column, o.label(), "certdrift does not know what reads its annotation "+finding.Quote(e.Key)+", which contains "+what, annotationRemedy)
	}
}

// patched notes a Service that names a certificate and has no ports for it: a patch, whose ports stand elsewhere.
func (o object) patched() {
	at, what := o.certificate(o.get(o.node, "metadata", "annotations"), 0)
	if o.patch() == "" || what == "" {
		return
	}
	line, column := o.position(at)
	o.passOver(line, column, o.label(), "it contains "+what+" but no ports, as a patch does: which ports the Service has is not known", renderRemedy)
}
