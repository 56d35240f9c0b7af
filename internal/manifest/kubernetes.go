package manifest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"certdrift/internal/arn"
	"certdrift/internal/finding"
	"certdrift/internal/yamldoc"
)

// renderHint is the hint for templates: certdrift reads what kubectl would apply.
const renderHint = "render it first, and pass the output to certdrift: `helm template … | certdrift plan -f -`, `kustomize build … | certdrift plan -f -`"

// Aliases can make a small file expand to any size.
const (
	maxListed  = 4       // how deep Lists may hold Lists
	maxObjects = 100_000 // in a file
	maxEntries = 1000    // of a list in an object: ports, hosts
)

// kubernetes reads a file of Kubernetes objects.
func (r *reader) kubernetes(data []byte) {
	for _, doc := range documents(data) {
		if doc.elsewhere() {
			r.objects++
			r.understood++
			continue
		}
		if doc.broken > 0 {
			r.errorAt(doc.broken, 1, doc.why, doc.hint)
		}
		r.document(doc)
	}
}

func (r *reader) document(doc document) {
	file, problem := yamldoc.Parse(doc.text)
	if problem != nil {
		line := problem.Line + doc.line - 1
		if doc.templated() {
			r.errorAt(line, problem.Column, "this is a template, not a manifest: it cannot be parsed before it is rendered", renderHint)
		} else {
			r.errorAt(line, problem.Column, problem.Message, problem.Hint)
		}
		return
	}
	for _, parsed := range file.Docs {
		switch parsed.Body.(type) {
		case nil, *ast.NullNode, *ast.CommentGroupNode:
			continue
		}
		t := r.newTree(parsed.Body, doc.line)
		r.object(t, parsed.Body, 0, listed{})
		if !t.doc.Spend(0) {
			r.errorAt(doc.line, 1, yamldoc.TooLarge, yamldoc.TooLargeHint)
		}
	}
}

// object reads one object, or the items of a List.
func (r *reader) object(t tree, n ast.Node, depth int, inherited listed) {
	if r.objects++; r.objects > maxObjects {
		if r.objects == maxObjects+1 {
			line, column := t.position(n)
			r.errorAt(line, column, fmt.Sprintf("the file contains more than %d objects", maxObjects), "split it")
		}
		return
	}
	version, kind := t.text(n, "apiVersion"), t.text(n, "kind")
	version, kind = cmp.Or(version, inherited.version), cmp.Or(kind, inherited.kind)
	o := object{reader: r, tree: t, node: n, kind: kind}
	o.reportDuplicates()
	o.reportItems()
	if items, ok := t.get(n, "items").(*ast.SequenceNode); ok && kind != "" && depth < maxListed { // as kubectl: whatever its kind is
		r.understood++
		of := listed{version, strings.TrimSuffix(kind, "List")}
		if kind == "List" || of.kind == kind {
			of = listed{}
		}
		for _, item := range items.Values {
			r.object(t, item, depth+1, of)
		}
		return
	}
	switch identity := apiGroup(version) + "/" + kind + " " + o.name(); {
	case !declares(kind):
		r.one(o, version)
	case o.text(n, "metadata", "uid") != "": // the cluster's
		r.understood++
		r.classes.live = append(r.classes.live, func() {
			if !r.classes.rendered[identity] {
				r.within(t, func() { r.one(o, version) })
			}
		})
	default:
		r.classes.rendered[identity] = true
		r.one(o, version)
	}
}

// one reads one object.
func (r *reader) one(o object, version string) {
	t, kind, declares := o.tree, o.kind, true
	o.reportShapes(version)
	switch {
	case kind == "Service" && version == "v1": // Knative's Services are in another API group
		if o.rendered() {
			o.patched()
			o.strangeAnnotations(sslCert)
			o.reportPorts()
			o.ending(o.service)
		}
	case kind == "Ingress" && (strings.HasPrefix(version, "networking.k8s.io/") || strings.HasPrefix(version, "extensions/")):
		if o.rendered() {
			o.strangeAnnotations(certificateARN)
			o.later(func() { r.within(t, func() { o.ending(o.ingress) }) })
		}
	case kind == "IngressClass" && strings.HasPrefix(version, "networking.k8s.io/"):
		o.ingressClass()
	case kind == "IngressClassParams" && certificateFields[apiGroup(version)] != "":
		o.ingressClassParams(apiGroup(version))
	case o.gatewayObject(version):
	case version == "" && o.cloudFormation(): // it counts what it understands
		declares = false
	default:
		declares = false
		o.unread(version)
	}
	if declares {
		r.understood++
	}
}

// ending reads an object that the cluster may be deleting already: then nobody knows how long its load balancer holds what it says.
func (o object) ending(read func()) {
	before := len(o.declared)
	read()
	if o.text(o.node, "metadata", "deletionTimestamp") == "" {
		return
	}
	for i := range o.declared[before:] {
		d := &o.declared[before+i]
		d.UndecidedBecause = cmp.Or(d.UndecidedBecause, "what becomes of "+o.kind+" "+o.name()+": the cluster is deleting it (deletionTimestamp)")
	}
}

// listed is what the items of a List are that do not say it themselves.
type listed struct{ version, kind string }

// within reads more of a document that was read already, and reports where that is too much.
func (r *reader) within(t tree, read func()) {
	before := t.doc.Spend(0)
	read()
	if before && !t.doc.Spend(0) {
		r.errorAt(t.line, 1, yamldoc.TooLarge, yamldoc.TooLargeHint)
	}
}

// apiGroup is an apiVersion without the version.
func apiGroup(version string) string {
	group, _, _ := strings.Cut(version, "/")
	return group
}

// object is a Service, an Ingress, or what its class consists of.
type object struct {
	*reader
	tree
	node ast.Node
	kind string
}

// reportDuplicates reports duplicate keys in objects that are read, where they matter. Lenient parsers use the last one, and
// kubectl rejects them: usually the line between two documents is missing.
func (o object) reportDuplicates() {
	if !slices.ContainsFunc(o.all(o.node, "kind"), declares) {
		return
	}
	hint := "keep one of them; a line --- between two documents may be missing"
	for _, path := range [][]string{nil, {"metadata"}, {"metadata", "annotations"}, {"spec"}} {
		if e, ok := o.duplicate(o.get(o.node, path...)); ok {
			o.report(e.Node, o.kind+" "+o.name()+": duplicate key "+finding.Quote(e.Key), hint)
		}
	}
}

// name is NAMESPACE/NAME.
func (o object) name() string {
	return finding.Clean(o.namespaceOf()+"/"+o.text(o.node, "metadata", "name"), finding.QuoteLimit)
}

func (o object) namespaceOf() string {
	return cmp.Or(o.text(o.node, "metadata", "namespace"), o.namespace)
}

// annotation returns the entry of an annotation; nil if there is none.
func (o object) annotation(name string) *ast.MappingValueNode {
	return o.entry(o.get(o.node, "metadata", "annotations"), name)
}

// note returns an annotation's text without surrounding spaces; empty if there is none.
func (o object) note(name string) string { return strings.TrimSpace(o.raw(name)) }

// raw returns an annotation's text as it is.
func (o object) raw(name string) string {
	e := o.annotation(name)
	if e == nil {
		return ""
	}
	text, _ := yamldoc.Text(o.doc.Value(e.Value))
	return text
}

// report reports an error at an entry's key.
func (o object) report(at *ast.MappingValueNode, message, hint string) {
	line, column := o.position(at.Key)
	o.errorAt(line, column, finding.Clean(message, 2*finding.QuoteLimit), hint)
}

// rendered reports whether the object's names and annotations are free of template braces, quoted or not. If not, it reports
// an error.
func (o object) rendered() bool {
	annotations, _ := o.doc.Entries(o.get(o.node, "metadata", "annotations"))
	entries := slices.Clone(annotations)
	for _, key := range []string{"name", "namespace"} {
		if e := o.entry(o.get(o.node, "metadata"), key); e != nil {
			entries = append(entries, yamldoc.Entry{Key: key, Node: e})
		}
	}
	for _, e := range entries {
		templated := strings.Contains(e.Key, "{{")
		if !templated && !relevant(e.Key) {
			continue
		}
		value := o.doc.Value(e.Node.Value)
		text, scalar := yamldoc.Text(value)
		_, null := value.(*ast.NullNode)
		switch {
		case value == nil: // the resolver reported why
			return false
		case templated || strings.Contains(text, "{{"):
			o.report(e.Node, o.kind+" "+o.name()+" is a template that was not rendered", renderHint)
			return false
		case !scalar && !null:
			o.report(e.Node, o.kind+" "+o.name()+": "+finding.Quote(e.Key)+" must be text, not "+yamldoc.Kind(value), renderHint)
			return false
		}
	}
	return true
}

// relevant reports whether certdrift reads the key: other annotations may contain anything, including braces.
func relevant(key string) bool {
	return key == "name" || key == "namespace" || strings.HasPrefix(key, servicePrefix) || strings.HasPrefix(key, ingressPrefix)
}

const arnHint = "write the ARN of an ACM certificate or an IAM server certificate, as arn:aws:acm:REGION:ACCOUNT:certificate/ID"

// arns parses a comma-separated list of certificate ARNs.
func (o object) arns(at *ast.MappingValueNode, text string) []string {
	var arns []string
	for _, part := range split(text) {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if _, err := arn.Certificate(part); err != nil {
			o.report(at, o.kind+" "+o.name()+": "+finding.Quote(part)+" "+err.Error(),
				arnHint)
			continue
		}
		arns = append(arns, part)
	}
	return arns
}

// split splits an annotation at its commas.
func split(text string) []string {
	parts := strings.SplitN(text, ",", maxEntries+1)
	return parts[:min(len(parts), maxEntries)]
}
