package manifest

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/yamldoc"
)

const (
	describeHint  = "pass the whole output of `aws cloudformation describe-change-set --include-property-values`"
	withoutValues = "the change set has no property values: describe it with --include-property-values"
)

// afterExecution is what a change set says of a value that does not exist yet, {{changeSet:KNOWN_AFTER_APPLY}}.
var afterExecution = unknownValue{"it is known only after the change set is executed"}

// changeSet is what `aws cloudformation describe-change-set` prints
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html).
type changeSet struct {
	evaluator
	*reader
	id, stackName string
	changes       []*stackChange
}

// stackChange is what executing a change set does to one resource
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html).
type stackChange struct {
	*stackResource
	node                                          ast.Node
	action, physical, replacement, policy, nested string
	before, after                                 map[string]any // the properties; nil where they are not known
	retain                                        bool           // by DeletionPolicy or UpdateReplacePolicy, where no policy is given
}

func (o object) changeSet(changes *ast.SequenceNode) *changeSet {
	c := &changeSet{evaluator: evaluator{tree: o.tree, root: o.node}, reader: o.reader}
	c.id, c.stackName = c.at("ChangeSetId"), c.at("StackName")
	if c.stackName == "" { // …:stack/NAME/ID
		_, rest, _ := strings.Cut(c.at("StackId"), ":stack/")
		c.stackName, _, _ = strings.Cut(rest, "/")
	}
	for _, item := range changes.Values {
		c.changes = append(c.changes, c.change(item))
	}
	return c
}

// at is a text of the change set; empty where there is none.
func (c *changeSet) at(path ...string) string { return c.textOf(c.root, path...) }

func (c *changeSet) textOf(n ast.Node, path ...string) string {
	text, _ := yamldoc.Text(c.doc.Follow(evaluator{tree: c.tree, root: n}.lookup(path[0], path[1:]...)))
	return text
}

func (c *changeSet) change(item ast.Node) *stackChange {
	n := evaluator{tree: c.tree, root: item}.lookup("ResourceChange")
	where := n
	if id := (evaluator{tree: c.tree, root: n}).lookup("LogicalResourceId"); id != nil {
		where = id
	}
	if where == nil {
		where = item
	}
	text := func(key string) string { return c.textOf(n, key) }
	line, column := c.position(where)
	out := &stackChange{
		stackResource: newStackResource(text("LogicalResourceId"), text("ResourceType"), c.stackName, c.reader.at(line, column), observation.ChangeSet), node: n,
		action: text("Action"), physical: text("PhysicalResourceId"), replacement: text("Replacement"), policy: text("PolicyAction"), nested: text("ChangeSetId"),
	}
	before, after := contextOf(text("BeforeContext")), contextOf(text("AfterContext"))
	out.before, out.after = before.properties, after.properties
	out.retain = before.retains(out.action)
	return out
}

// context is a BeforeContext or an AfterContext.
type context struct {
	properties              map[string]any
	deletion, updateReplace string
}

// contextOf reads a context, whose numbers and booleans are texts mostly.
func contextOf(text string) context {
	var in struct {
		Properties                          map[string]any
		DeletionPolicy, UpdateReplacePolicy string
	}
	if text == "" || json.Unmarshal([]byte(text), &in) != nil {
		return context{}
	}
	properties := map[string]any{}
	for key, value := range in.Properties {
		properties[key] = contextValue(value)
	}
	return context{properties, in.DeletionPolicy, in.UpdateReplacePolicy}
}

func contextValue(value any) any {
	switch x := value.(type) {
	case string:
		switch {
		case strings.Contains(x, "{{changeSet:"):
			return afterExecution
		case x == "****":
			return unknownValue{"CloudFormation hides it (NoEcho)"}
		}
		return plainText(x)
	case float64, bool:
		text, _ := json.Marshal(x)
		return string(text)
	case []any:
		out := make([]any, 0, len(x))
		for _, one := range x {
			out = append(out, contextValue(one))
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for key, one := range x {
			out[key] = contextValue(one)
		}
		return out
	}
	return nil
}

// retains reports whether the resource as it was stays in the account. The default is that it goes.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
func (c context) retains(action string) bool {
	if action == "Remove" {
		return c.deletion == "Retain" || c.deletion == "RetainExceptOnCreate"
	}
	return c.updateReplace == "Retain"
}

// kept reports whether a resource that the change set removes or replaces stays in the account.
func (x *stackChange) kept() bool {
	switch x.policy {
	case "Retain", "ReplaceAndRetain":
		return true
	case "":
		return x.retain
	}
	return false
}

// read reads a change set that is complete and can still be executed.
func (c *changeSet) read() {
	status, why := c.at("Status"), c.at("StatusReason")
	switch execution := c.at("ExecutionStatus"); {
	case c.at("NextToken") != "":
		c.incomplete("the output is one page of several")
	case status == "FAILED" && (strings.Contains(why, "didn't contain changes") || strings.Contains(why, "No updates are to be performed")):
		return
	case status == "":
		c.incomplete("it does not say whether the change set is complete (Status)")
	case status == "FAILED":
		c.refuse("CloudFormation could not create this change set: "+why, "fix what it reports, and create it again")
		return
	case status != "CREATE_COMPLETE":
		c.refuse("the change set is not complete: its status is "+status, "run `aws cloudformation wait change-set-create-complete`, and describe it again")
		return
	case execution != "" && execution != "AVAILABLE" && (execution != "UNAVAILABLE" || c.at("ParentChangeSetId") == ""): // only the root of nested ones is available
		c.refuse("the change set cannot be executed any more: its execution status is "+execution, "create another one")
		return
	}
	s := stack{reader: c.reader}
	for _, x := range c.changes {
		if x.kind == "" {
			s.undecide(x.stackResource, "it is not a change of a resource that certdrift knows: "+describeHint)
		}
		c.apply(s, x)
	}
	c.listed(s)
	for _, x := range c.changes {
		c.takeAway(s, x)
	}
}

func (c *changeSet) refuse(message, hint string) {
	line, column := c.position(c.root)
	c.errorAt(line, column, finding.Clean(message, 2*finding.QuoteLimit), hint)
}

func (c *changeSet) incomplete(what string) {
	line, column := c.position(c.root)
	c.passOver(line, column, clean("the change set of "+cmp.Or(c.stackName, "a stack")), what+": "+describeHint, changeSetRemedy)
}

// apply declares what a resource is after the change.
func (c *changeSet) apply(s stack, x *stackChange) {
	switch x.kind {
	case stackListener, stackListed, stackClassic, stackBalancer:
	default:
		c.other(s, x)
		return
	}
	switch x.action {
	case "Import", "SyncWithActual": // neither changes the resource itself
		return
	case "Add":
	case "Modify":
		if x.before == nil && x.kind != stackBalancer {
			s.undecide(x.stackResource, withoutValues)
			return
		}
		if x.replacement != "True" && x.replacement != "False" {
			x.undecided = "whether CloudFormation changes " + x.object + " or replaces it, which it decides at execution"
		}
	case "Remove":
		if x.before == nil && !x.kept() && x.kind != stackBalancer {
			s.undecide(x.stackResource, withoutValues)
		}
		return
	default:
		s.undecide(x.stackResource, "what executing the change set does to it is not known: "+finding.Quote(x.action))
		return
	}
	x.properties = x.after
	if x.after == nil && x.kind != stackBalancer {
		s.undecide(x.stackResource, withoutValues)
		return
	}
	switch x.kind {
	case stackListener:
		c.listener(s, x)
	case stackClassic:
		c.classic(s, x)
	}
}

// replaced reports whether another resource takes the place of this one.
func (x *stackChange) replaced() bool { return x.action == "Modify" && x.replacement == "True" }

func (c *changeSet) listener(s stack, x *stackChange) {
	d, ok := s.listener(x.stackResource)
	if d.LoadBalancer == "" && !x.replaced() {
		name, _ := fromARN(x.physical)
		d.LoadBalancer = clean(name)
		ok = ok || s.plain && d.Port != 0 && name != "" && d.Kind == ""
	}
	if !ok {
		return
	}
	d.Creates = x.action == "Add" || x.replaced()
	if !d.Creates {
		d.ListenerARN = clean(x.physical)
	}
	d.Restates = !d.Creates && len(d.ARNs) > 0 && x.leaves("Certificates", "Port", "Protocol", "LoadBalancerArn")
	c.declared = append(c.declared, d)
}

// leaves reports whether the change leaves some properties as the last deployment had them, or, in a drift-aware change set, as they are.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/drift-aware-change-sets.html
func (x *stackChange) leaves(properties ...string) bool {
	return x.before != nil && !slices.ContainsFunc(properties, func(key string) bool { return !reflect.DeepEqual(x.before[key], x.after[key]) })
}

func (c *changeSet) classic(s stack, x *stackChange) {
	name, _ := known(x.after["LoadBalancerName"])
	if x.action == "Modify" && x.replacement == "False" {
		name = cmp.Or(x.physical, name)
	}
	for _, d := range s.classic(x.stackResource, clean(name)) {
		d.Creates = x.action == "Add" || x.replaced()
		d.Restates = !d.Creates && len(d.ARNs) > 0 && reflect.DeepEqual(classicEntry(x.before, d.Port), classicEntry(x.after, d.Port))
		c.declared = append(c.declared, d)
	}
}

// classicEntry is the listener of a classic load balancer on a port; nil if there is none.
func classicEntry(properties map[string]any, number int) map[string]any {
	list, _ := properties["Listeners"].([]any)
	for _, item := range list {
		if entry, ok := item.(map[string]any); ok {
			if n, _ := port(entry["LoadBalancerPort"]); n == number {
				return entry
			}
		}
	}
	return nil
}

// listed declares what is added to SNI lists and removed from them. To a listener that the change set makes, any certificate whose
// listener is not known yet may be added.
func (c *changeSet) listed(s stack) {
	created := []int{}
	for i, d := range c.declared {
		if d.Creates && d.Kind != observation.Classic && (len(d.ARNs) > 0 || d.Discovered) {
			created = append(created, i)
		}
	}
	for _, x := range c.changes {
		if x.kind != stackListed || x.properties == nil || x.action == "Modify" && x.replacement != "True" && x.leaves("Certificates", "ListenerArn") {
			continue
		}
		found := s.certificatesOf(x.stackResource)
		if !found.ok {
			continue
		}
		if d, ok := s.listed(x.stackResource, found); ok && (d.Listener != "" || len(created) == 0) {
			c.declared = append(c.declared, d)
			continue
		}
		for _, i := range created {
			c.declared[i].Pending = append(c.declared[i].Pending, "which listener "+x.object+" adds a certificate to")
		}
	}
}

// takeAway declares, on request, what the resource was and is no more.
func (c *changeSet) takeAway(s stack, x *stackChange) {
	if !c.plain || x.action != "Remove" && x.action != "Modify" || x.before == nil && x.kind != stackBalancer {
		return
	}
	gone := x.action == "Remove" || x.replacement != "False"
	if gone && x.kept() {
		return
	}
	switch x.kind {
	case stackListed:
		c.detached(s, x)
	case stackListener:
		c.portLost(s, x)
	case stackClassic:
		c.classicLost(s, x, gone)
	case stackBalancer:
		name, _ := fromARN(x.physical)
		if gone && name == "" {
			s.undecide(x.stackResource, "which load balancer executing the change set deletes is not known")
		} else if gone {
			c.removes(x, name)
		}
	}
}

// removes declares that a load balancer goes with all of its listeners, wherever they are declared.
func (c *changeSet) removes(x *stackChange, name string) {
	d := x.declaration()
	d.LoadBalancer, d.RemovesListeners = clean(name), true
	c.declared = append(c.declared, d)
}

// detached declares that certificates leave an SNI list. CloudFormation makes a resource's replacement before it deletes the resource, and
// a change may do so too (https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/865): a certificate that was and is
// in the list may be lost.
func (c *changeSet) detached(s stack, x *stackChange) {
	if x.action == "Modify" && x.replacement != "True" && x.leaves("Certificates", "ListenerArn") {
		return
	}
	was := *x.stackResource
	was.properties = x.before
	listener, _ := known(x.before["ListenerArn"])
	name, kind := fromARN(listener)
	found := s.certificatesOf(&was)
	if name == "" || found.why != "" || len(found.pending) > 0 || !found.ok {
		s.undecide(x.stackResource, "which certificates executing the change set removes from which listener is not known")
		return
	}
	if x.undecided != "" {
		s.undecide(x.stackResource, x.undecided)
		return
	}
	d := x.declaration()
	d.LoadBalancer, d.Kind, d.Listener, d.Detaches = clean(name), kind, clean(listener), found.arns
	c.declared = append(c.declared, d)
}

// portLost declares the port of a listener that no resource has any more.
func (c *changeSet) portLost(s stack, x *stackChange) {
	protocol, _ := known(x.before["Protocol"])
	if !strings.EqualFold(protocol, "HTTPS") && !strings.EqualFold(protocol, "TLS") {
		return
	}
	name, _ := fromARN(x.physical)
	if name == "" {
		name = s.balancerName(x.before["LoadBalancerArn"])
	}
	number, _ := port(x.before["Port"])
	if name == "" || number == 0 {
		s.undecide(x.stackResource, "the load balancer or the port of a listener that executing the change set takes away is not known")
		return
	}
	d := x.declaration()
	d.LoadBalancer, d.Port = clean(name), number
	c.lose(x, d)
}

func (c *changeSet) classicLost(s stack, x *stackChange, gone bool) {
	list, isList := x.before["Listeners"].([]any)
	if x.physical == "" || !isList {
		s.undecide(x.stackResource, "which listeners executing the change set takes away is not known")
		return
	}
	for _, item := range list {
		entry, _ := item.(map[string]any)
		protocol, _ := known(entry["Protocol"])
		number, why := port(entry["LoadBalancerPort"])
		switch {
		case why != "":
			s.undecide(x.stackResource, "a port that executing the change set takes away is not known")
		case number != 0 && (strings.EqualFold(protocol, "HTTPS") || strings.EqualFold(protocol, "SSL")):
			d := x.declaration()
			d.Kind, d.LoadBalancer, d.Port = observation.Classic, clean(x.physical), number
			c.lose(x, d)
		}
	}
	if gone {
		c.removes(x, x.physical)
	}
}

// lose declares a port without a certificate, unless another resource of the change set has it, or may have it.
func (c *changeSet) lose(x *stackChange, d observation.Declaration) {
	for _, other := range c.declared {
		switch {
		case other.RemovesListeners || other.Listener != "":
		case other.Port == d.Port && other.LoadBalancer == d.LoadBalancer:
			return
		case other.Port == d.Port && other.LoadBalancer == "" && other.Object == x.object:
			d.UndecidedBecause = cmp.Or(d.UndecidedBecause, "whether "+x.object+" stays on "+d.LoadBalancer+": its load balancer is known only after the change set is executed")
		}
	}
	c.declared = append(c.declared, d)
}

// other deals with a resource of a type that certdrift does not read.
func (c *changeSet) other(s stack, x *stackChange) {
	hidden, shown := mayMakeListeners(x.kind)
	t := template{evaluator: c.evaluator, reader: c.reader}
	switch {
	case x.kind == iamCertificate && x.action == "Modify" && !x.replaced() && !x.leaves("Path", "CertificateBody", "ServerCertificateName"):
		s.undecide(x.stackResource, "what is attached under its ARN after the change is not known")
	case x.kind == iamCertificate && x.action == "Remove" && !x.kept():
		s.undecide(x.stackResource, "it is deleted, and a load balancer that has it may stop accepting connections")
	case x.kind == nestedStack && x.nested != "" && c.stacks.changeSets[x.nested]:
	case x.kind == nestedStack && x.nested != "" && x.action != "Remove":
		s.undecide(x.stackResource, "its own change set is not in the input: describe that too, --change-set-name "+clean(x.nested))
	case hidden && x.kept() && x.action == "Remove":
	case hidden:
		s.undecide(x.stackResource, "it makes resources that the change set does not show (create it with --include-nested-stacks)")
	case shown && x.before == nil && x.after == nil:
		s.undecide(x.stackResource, "certdrift does not read resources of type "+finding.Quote(x.kind)+", and "+withoutValues)
	case shown:
		if what := t.mentions(x.node, otherThan(x.stackResource, namesListener)); what != "" {
			s.undecide(x.stackResource, "certdrift does not read resources of type "+finding.Quote(x.kind)+", and this one contains "+what)
		}
	}
}

// otherThan asks about texts other than the resource's own names.
func otherThan(res *stackResource, says func(string) string) func(string) string {
	return func(text string) string {
		if text == res.kind || text == res.id {
			return ""
		}
		return says(text)
	}
}
