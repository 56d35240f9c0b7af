package manifest

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/yamldoc"
)

// stacks is what the files of one input have for each other: nested templates and change sets, and values for parameters.
type stacks struct {
	templates, changeSets map[string]bool // by path, and by ID
	parameters            map[string]parameterValue
}

func newStacks() *stacks {
	return &stacks{map[string]bool{}, map[string]bool{}, map[string]parameterValue{}}
}

// cloudFormation reads what CloudFormation's tools write: templates, change sets, and files of parameters. It is false for anything else.
func (o object) cloudFormation() bool {
	changes, isList := o.doc.Follow(o.value("Changes")).(*ast.SequenceNode)
	switch {
	case o.kind != "":
		return false
	case isList && (o.value("ChangeSetId") != nil || o.value("ChangeSetName") != nil || o.value("StackId") != nil):
		o.understood++
		set := o.changeSet(changes)
		o.stacks.changeSets[set.id] = true
		o.later(func() { o.within(o.tree, set.read) })
	case o.isTemplate():
		o.understood++
		o.stacks.templates[filepath.Clean(o.file)] = true
		t := template{evaluator: evaluator{tree: o.tree, root: o.node, resources: map[string]*stackResource{}, parameters: o.stacks.parameters}, reader: o.reader}
		o.later(func() { o.within(o.tree, t.read) })
	default: // these say nothing alone
		return o.parametersFile() || o.ofTheCDK()
	}
	return true
}

// value returns what the document has under a key, tags included; nil if there is nothing.
func (o object) value(key string) ast.Node { return evaluator{tree: o.tree, root: o.node}.lookup(key) }

// isTemplate reports whether the document is a template: it says so, or has resources of CloudFormation's types.
func (o object) isTemplate() bool {
	resources, ok := yamldoc.Entries(o.doc.Follow(o.value("Resources")))
	if o.value("AWSTemplateFormatVersion") != nil {
		return true
	}
	return ok && slices.ContainsFunc(resources, func(e *ast.MappingValueNode) bool {
		key, _ := yamldoc.Text(o.doc.Follow(e.Key))
		kind, _ := yamldoc.Text(o.doc.Follow(evaluator{tree: o.tree, root: e.Value}.lookup("Type")))
		return strings.Contains(kind, "::") || strings.HasPrefix(key, "Fn::")
	})
}

// ofTheCDK reports whether the document is one of those that the CDK writes beside its templates: the tree of constructs, or the manifest
// of the assembly. Nothing deploys them by themselves.
func (o object) ofTheCDK() bool {
	version, _ := yamldoc.Text(o.doc.Follow(o.value("version")))
	_, tree := yamldoc.Entries(o.doc.Follow(o.value("tree")))
	artifacts, _ := yamldoc.Entries(o.doc.Follow(o.value("artifacts")))
	foreign := slices.ContainsFunc(artifacts, func(e *ast.MappingValueNode) bool {
		kind, _ := yamldoc.Text(o.doc.Follow(evaluator{tree: o.tree, root: e.Value}.lookup("type")))
		return !strings.HasPrefix(kind, "aws:cloudformation:") && !strings.HasPrefix(kind, "cdk:")
	})
	return version != "" && len(artifacts) > 0 && !foreign || tree && strings.HasPrefix(version, "tree-")
}

// parametersFile reads a file of parameters: a list of {ParameterKey, ParameterValue}, as the AWS CLI's --parameters takes it, or a
// mapping under Parameters, as CodePipeline does. Two values for one parameter leave it unknown.
func (o object) parametersFile() bool {
	list, isList := o.doc.Follow(o.node).(*ast.SequenceNode)
	given, isMapping := yamldoc.Entries(o.doc.Follow(o.value("Parameters")))
	switch {
	case isList && len(list.Values) > 0:
		for _, item := range list.Values {
			key, ok := yamldoc.Text(o.doc.Follow(evaluator{tree: o.tree, root: item}.lookup("ParameterKey")))
			if !ok {
				return false
			}
			o.setParameter(key, evaluator{tree: o.tree, root: item}.lookup("ParameterValue"))
		}
		return true
	case isMapping && len(given) > 0 && o.onlyHas("Parameters", "Tags", "StackPolicy"):
		for _, e := range given {
			if _, ok := yamldoc.Text(o.doc.Follow(e.Value)); !ok {
				return false
			}
		}
		for _, e := range given {
			key, _ := yamldoc.Text(o.doc.Follow(e.Key))
			o.setParameter(key, e.Value)
		}
		return true
	}
	return false
}

// onlyHas reports whether the document has no other keys.
func (o object) onlyHas(keys ...string) bool {
	entries, _ := yamldoc.Entries(o.doc.Follow(o.node))
	return !slices.ContainsFunc(entries, func(e *ast.MappingValueNode) bool {
		key, _ := yamldoc.Text(o.doc.Follow(e.Key))
		return !slices.Contains(keys, key)
	})
}

func (o object) setParameter(key string, n ast.Node) {
	text, ok := yamldoc.Text(o.doc.Follow(n))
	value := parameterValue{text: text}
	before, twice := o.stacks.parameters[key]
	switch {
	case !ok: // UsePreviousValue
		value.why = "the parameter " + clean(key) + ", whose value stays as it is"
	case twice && before != value:
		value.why = "the parameter " + clean(key) + ", for which the files have several values"
	}
	o.stacks.parameters[key] = value
}

// template reads a template, as it is or as the CDK and SAM write it.
type template struct {
	evaluator
	*reader
	order []*stackResource
	nodes map[*stackResource]ast.Node
}

func (t template) report(n ast.Node, message, hint string) {
	line, column := t.position(n)
	t.errorAt(line, column, finding.Clean(message, 2*finding.QuoteLimit), hint)
}

func (t template) undecided(n ast.Node, object, why string) {
	line, column := t.position(n)
	t.passOver(line, column, object, why, changeSetRemedy)
}

func (t template) read() {
	ast.Walk(emptyTags{t}, t.root)
	t.transforms()
	t.unknownSections()
	section := t.lookup("Resources")
	entries, ok := yamldoc.Entries(t.doc.Follow(section))
	if !ok || len(entries) == 0 {
		t.report(t.root, "this template has no Resources, and CloudFormation rejects it", noManifestHint)
		return
	}
	t.nodes = map[*stackResource]ast.Node{}
	for _, e := range entries {
		t.collect(e)
	}
	s := stack{t.reader, t.resources}
	for _, res := range t.order { // references need all of them
		res.properties, _ = t.value(evaluator{tree: t.tree, root: t.nodes[res]}.lookup("Properties"), 0).(map[string]any)
	}
	for _, res := range t.order {
		if res.notMade {
			t.mayRemove(s, res)
		} else {
			t.declare(s, res)
		}
	}
	t.listed(s)
}

// emptyTags is a visitor that reports functions without a value, such as "!Ref" alone: the parser takes what follows for it.
type emptyTags struct{ t template }

// Visit implements ast.Visitor.
func (v emptyTags) Visit(n ast.Node) ast.Visitor {
	if e, ok := n.(*ast.MappingValueNode); ok {
		if tag, ok := e.Value.(*ast.TagNode); ok {
			_, own := yamldoc.Position(e.Key)
			line, column := yamldoc.Position(tag.Value)
			at, _ := yamldoc.Position(tag)
			if _, isMapping := yamldoc.Entries(tag.Value); tag.Value == nil || isMapping && line > at && column <= own {
				v.t.report(e.Key, tag.Start.Value+" has no value", "write what it is for behind it")
			}
		}
	}
	return v
}

// transforms notes macros, which may make any resources. AWS's own, except AWS::Include, make none that certdrift would have to see:
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-reference.html
func (t template) transforms() {
	names := []any{}
	switch x := t.value(t.lookup("Transform"), 0).(type) {
	case string:
		names = append(names, x)
	case []any:
		names = x
	case unknownValue:
		if t.lookup("Transform") != nil {
			names = append(names, x)
		}
	case map[string]any:
		names = append(names, x["Name"])
	}
	for _, one := range names {
		name, _ := known(one)
		for _, harmless := range []string{"AWS::Serverless-", "AWS::LanguageExtensions", "AWS::SecretsManager-", "AWS::CodeDeployBlueGreen"} {
			if strings.HasPrefix(name, harmless) {
				name = "-"
			}
		}
		if name != "-" {
			t.undecided(t.lookup("Transform"), "the template", "the macro "+finding.Quote(name)+" may add any resources (pass a change set, which has them)")
		}
	}
	if n := t.lookup("Fn::Transform"); n != nil {
		t.undecided(n, "the template", "a macro may add any resources (pass a change set, which has them)")
	}
}

// collect notes a resource whose type certdrift reads, or that may make others.
func (t *template) collect(e *ast.MappingValueNode) {
	id, _ := yamldoc.Text(t.doc.Follow(e.Key))
	line, column := t.position(e.Key)
	if strings.HasPrefix(id, "Fn::") {
		if what := t.mentions(e.Value, namesAnyListener); what != "" || !strings.HasPrefix(id, "Fn::ForEach::") {
			t.undecided(e.Key, clean(id), "certdrift does not expand it (pass a change set)")
		}
		return
	}
	in := evaluator{tree: t.tree, root: e.Value}
	kind, ok := yamldoc.Text(t.doc.Follow(in.lookup("Type")))
	if !ok {
		if !t.strange(e.Key, clean(id), e) {
			t.report(e.Key, "the resource "+finding.Quote(id)+" has no Type, and CloudFormation rejects the template", "give it one")
		}
		return
	}
	tool := observation.Template
	if path, _ := yamldoc.Text(t.doc.Follow(in.lookup("Metadata", "aws:cdk:path"))); path != "" {
		tool = observation.CDK
	}
	res := newStackResource(id, kind, "", t.at(line, column), tool)
	if condition, ok := yamldoc.Text(t.doc.Follow(in.lookup("Condition"))); ok {
		holds, why := t.condition(condition, 0)
		switch {
		case why != "":
			res.undecided = "whether " + res.object + " exists: " + why
		case !holds && kind != stackListener && kind != stackClassic:
			return
		case !holds:
			res.notMade = true
			t.order, t.nodes[res] = append(t.order, res), e.Value
			return
		}
	}
	if t.resources[id] != nil {
		t.undecided(e.Key, res.object, "the template has two resources of this name")
	}
	t.resources[id], t.nodes[res] = res, e.Value
	t.order = append(t.order, res)
}

// sections are the parts of a template
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html, and SAM's Globals).
var sections = [...]string{
	"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions", "Transform", "Resources", "Outputs", "Hooks", "Globals",
}

// unknownSections puts the net under parts of a template that CloudFormation does not know.
func (t template) unknownSections() {
	entries, _ := yamldoc.Entries(t.doc.Follow(t.root))
	for _, e := range entries {
		if key, _ := yamldoc.Text(t.doc.Follow(e.Key)); !slices.Contains(sections[:], key) && !strings.HasPrefix(key, "Fn::") {
			t.strange(e.Key, "the template", e)
		}
	}
}

// strange notes a part of the template that nothing reads and that contains a certificate; false if it contains none.
func (t template) strange(at ast.Node, object string, n ast.Node) bool {
	what := t.mentions(n, namesCertificate)
	if what != "" {
		t.undecided(at, object, "certdrift does not know what this part of the template is for, and it contains "+what)
	}
	return what != ""
}

// strangeParts puts the net under the parts of a resource that are not read, although its type is.
func (t template) strangeParts(res *stackResource) {
	entries, _ := yamldoc.Entries(t.doc.Follow(t.nodes[res]))
	for _, e := range entries {
		switch key, _ := yamldoc.Text(t.doc.Follow(e.Key)); key {
		case "Type", "Metadata":
		case "Properties":
			properties, _ := yamldoc.Entries(t.doc.Follow(e.Value))
			for _, p := range properties {
				if name, _ := yamldoc.Text(t.doc.Follow(p.Key)); name != "Certificates" && name != "Listeners" {
					t.strange(p.Key, res.object, p)
				}
			}
		default:
			t.strange(e.Key, res.object, e)
		}
	}
}

func (t template) declare(s stack, res *stackResource) {
	properties := evaluator{tree: t.tree, root: t.nodes[res]}.lookup("Properties")
	hidden, shown := mayMakeListeners(res.kind)
	switch {
	case res.kind == stackListener || res.kind == stackListed || res.kind == stackClassic || res.kind == stackBalancer:
		t.strangeParts(res)
		if res.properties == nil {
			s.undecide(res, "its properties are not known: "+why(t.value(properties, 0)))
			return
		}
	case res.kind == nestedStack || res.kind == nestedApplication:
		if !t.stacks.templates[t.nestedTemplate(res, properties)] {
			s.undecide(res, "it makes another stack, whose template is not in the input (pass that too, or a change set)")
		}
		return
	case hidden:
		s.undecide(res, "it makes resources that the template does not show (pass a change set)")
		return
	case shown:
		if what := cmp.Or(t.mentions(properties, namesListener), t.mentions(t.nodes[res], namesCertificate)); what != "" {
			s.undecide(res, "certdrift does not read resources of type "+finding.Quote(res.kind)+", and this one contains "+what)
		} else if id := t.refers(res.properties, 0); id != "" {
			s.undecide(res, "certdrift does not read resources of type "+finding.Quote(res.kind)+", and this one refers to "+clean(id))
		}
		return
	}
	switch res.kind {
	case stackListener:
		if d, ok := s.listener(res); ok {
			t.declared = append(t.declared, restated(d))
		}
	case stackClassic:
		name, _ := known(res.properties["LoadBalancerName"])
		for _, d := range s.classic(res, clean(name)) {
			t.declared = append(t.declared, restated(d))
		}
		t.mayTakeAway(res, name)
	case stackBalancer:
		name, _ := known(res.properties["Name"])
		t.mayTakeAway(res, name)
	}
}

// restated is a declaration of a template, which does not say what its deployment changes.
func restated(d observation.Declaration) observation.Declaration {
	d.Restates = len(d.ARNs) > 0
	return d
}

// why is why a value is not known, for a sentence.
func why(value any) string {
	if _, why := known(value); why != "" {
		return why
	}
	return "it has none"
}

// mayTakeAway declares, on request, that a deployment may take away the listeners of a load balancer that the template does not have: it
// does so with those that an earlier template had.
func (t template) mayTakeAway(res *stackResource, name string) {
	if !t.plain || name == "" {
		return
	}
	d := res.declaration()
	d.LoadBalancer, d.RemovesListeners = clean(name), true
	d.UndecidedBecause = "what happens to the listeners of " + clean(name) + " that " + finding.Clean(t.file, finding.QuoteLimit) +
		" does not have: a template does not say what its deployment takes away (a change set does)"
	t.declared = append(t.declared, d)
}

// mayRemove declares, on request, that a deployment removes the listeners of a resource whose condition does not hold: it does so if an
// earlier one made them.
func (t template) mayRemove(s stack, res *stackResource) {
	if !t.plain || res.properties == nil {
		return
	}
	lost := []observation.Declaration{res.declaration()}
	if res.kind == stackListener {
		lost[0].Port, _ = port(res.properties["Port"])
		lost[0].LoadBalancer = s.balancerName(res.properties["LoadBalancerArn"])
	} else {
		name, _ := known(res.properties["LoadBalancerName"])
		lost = s.classic(res, clean(name))
	}
	for _, d := range lost {
		if d.LoadBalancer == "" || d.Port == 0 {
			continue
		}
		d.ARNs, d.Pending, d.Discovered, d.Restates = nil, nil, false, false
		d.UndecidedBecause = "whether an earlier deployment made " + res.object + ", which this one removes, since its condition does not hold (a change set says so)"
		t.declared = append(t.declared, d)
	}
}

// listed brings further certificates together with their listeners.
func (t template) listed(s stack) {
	for _, res := range t.order {
		if res.kind != stackListed || res.properties == nil {
			continue
		}
		found := s.certificatesOf(res)
		ref, isRef := res.properties["ListenerArn"].(reference)
		listener := t.resources[ref.id]
		switch {
		case !found.ok: // reported
		case !isRef || listener == nil || listener.kind != stackListener:
			if d, ok := s.listed(res, found); ok {
				t.declared = append(t.declared, d)
			}
		default:
			i := slices.IndexFunc(t.declared, func(d observation.Declaration) bool { return d.Object == listener.object && d.Source == listener.at })
			if i < 0 || len(t.declared[i].ARNs) == 0 && !t.declared[i].Discovered {
				s.undecide(res, "it adds a certificate to "+listener.object+", which has none")
				continue
			}
			s.enlist(&t.declared[i], res, found)
		}
	}
}

// nestedTemplate is the path of a nested stack's template, where it is a local file: as the CDK, SAM and `aws cloudformation package`
// know it before the deployment.
func (t template) nestedTemplate(res *stackResource, properties ast.Node) string {
	path := ""
	for _, key := range []string{"TemplateURL", "Location"} {
		text, ok := yamldoc.Text(t.doc.Follow(evaluator{tree: t.tree, root: properties}.lookup(key)))
		if ok && !strings.Contains(text, "://") {
			path = text
		}
	}
	in := evaluator{tree: t.tree, root: t.nodes[res]}
	if property, _ := yamldoc.Text(t.doc.Follow(in.lookup("Metadata", "aws:asset:property"))); property == "TemplateURL" {
		path, _ = yamldoc.Text(t.doc.Follow(in.lookup("Metadata", "aws:asset:path")))
	}
	if path == "" {
		return ""
	}
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(filepath.Dir(t.file), path)
}
