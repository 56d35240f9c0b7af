package manifest

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"certdrift/internal/finding"
	"certdrift/internal/yamldoc"
)

// The values of a template's properties are texts (CloudFormation takes numbers for texts and texts for numbers), []any, map[string]any,
// nil for AWS::NoValue, and these two.
type (
	// unknownValue is a value that only the deployment knows.
	unknownValue struct{ why string }
	// reference is what Ref (with an empty attribute) or Fn::GetAtt returns of a resource of the same template.
	reference struct{ id, attribute string }
)

// maxDepth bounds how deep values, and conditions that refer to each other, are nested.
const maxDepth = 100

var tooDeep = unknownValue{"it is nested too deeply"}

// evaluator computes the values of a template (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html).
// What the template alone does not determine is unknown, with the reason: a default is not what the next deployment must use.
type evaluator struct {
	tree
	root       ast.Node
	resources  map[string]*stackResource
	parameters map[string]parameterValue // from parameter files
}

// parameterValue is a value that a parameter file gives; why is set if it is not certain.
type parameterValue struct{ text, why string }

// function returns the name of an intrinsic function, in its long form, and its argument; false for a value that is none.
func (v evaluator) function(n ast.Node) (name string, argument ast.Node, ok bool) {
	n, tag := v.untagged(n)
	switch {
	case tag == "Ref" || tag == "Condition":
		return tag, n, true
	case tag != "":
		return "Fn::" + tag, n, true
	}
	entries, isMapping := yamldoc.Entries(n)
	if !isMapping || len(entries) != 1 {
		return "", nil, false
	}
	key, _ := yamldoc.Text(v.doc.Follow(entries[0].Key))
	if key == "Ref" || key == "Condition" || strings.HasPrefix(key, "Fn::") {
		return key, entries[0].Value, true
	}
	return "", nil, false
}

// untagged follows anchors and aliases up to a value or one tag, which is the short form of a function.
func (v evaluator) untagged(n ast.Node) (value ast.Node, tag string) {
	for range maxListed * maxListed {
		switch x := n.(type) {
		case *ast.AnchorNode:
			n = x.Value
		case *ast.AliasNode:
			n = v.doc.Follow(x)
		case *ast.TagNode:
			if name := x.Start.Value; !strings.HasPrefix(name, "!!") {
				return x.Value, strings.TrimPrefix(name, "!")
			}
			n = x.Value
		default:
			return n, ""
		}
	}
	return nil, ""
}

// value computes a value.
func (v evaluator) value(n ast.Node, depth int) any {
	if depth > maxDepth || !v.doc.Spend(1) {
		return tooDeep
	}
	if name, argument, ok := v.function(n); ok {
		return v.call(name, argument, depth+1)
	}
	n = v.doc.Follow(n)
	if entries, ok := yamldoc.Entries(n); ok {
		return v.mapping(entries, depth)
	}
	switch x := n.(type) {
	case *ast.SequenceNode:
		list := make([]any, 0, len(x.Values))
		for _, item := range x.Values {
			if one := v.value(item, depth+1); one != nil {
				list = append(list, one)
			}
		}
		return list
	case nil, *ast.NullNode:
		return unknownValue{"it is null, which CloudFormation rejects"}
	}
	text, ok := yamldoc.Text(n)
	if !ok {
		return unknownValue{"it is " + yamldoc.Kind(n)}
	}
	return plainText(text)
}

func (v evaluator) mapping(entries []*ast.MappingValueNode, depth int) any {
	out := map[string]any{}
	for _, e := range entries {
		key, _ := yamldoc.Text(v.doc.Follow(e.Key))
		_, twice := out[key]
		switch {
		case strings.HasPrefix(key, "Fn::"): // Fn::Transform and Fn::ForEach stand beside other keys
			return unknownValue{clean(key) + " makes it"}
		case e.Key.IsMergeKey():
			return unknownValue{"it merges another mapping, which CloudFormation rejects"}
		case twice:
			return unknownValue{"it has the key " + finding.Quote(key) + " twice"}
		}
		if one := v.value(e.Value, depth+1); one != nil {
			out[key] = one
		}
	}
	return out
}

// plainText is a text, unless CloudFormation puts something else in its place: a dynamic reference to a parameter or a secret.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
func plainText(text string) any {
	if i := strings.Index(text, "{{resolve:"); i >= 0 {
		return unknownValue{"the dynamic reference " + finding.Quote(text[i:])}
	}
	return text
}

func (v evaluator) call(name string, argument ast.Node, depth int) any {
	switch name {
	case "Ref":
		id, _ := yamldoc.Text(v.doc.Follow(argument))
		return v.ref(id)
	case "Fn::GetAtt":
		return v.attribute(argument, depth)
	case "Fn::Sub":
		return v.substitute(argument, depth)
	case "Fn::If":
		return v.choose(argument, depth)
	case "Fn::FindInMap":
		return v.findInMap(argument, depth)
	case "Fn::Join":
		return v.join(argument, depth)
	case "Fn::Select":
		return v.pick(argument, depth)
	case "Fn::Split":
		return v.split(argument, depth)
	case "Fn::ImportValue":
		export, _ := v.value(argument, depth).(string)
		return unknownValue{strings.Join(strings.Fields("the export "+clean(export)+" of another stack"), " ")}
	}
	return unknownValue{clean(name)}
}

// ref is the value of Ref: of a parameter, a pseudo parameter or a resource.
func (v evaluator) ref(name string) any {
	declared := v.lookup("Parameters", name)
	if declared == nil {
		switch {
		case name == "AWS::NoValue":
			return nil
		case strings.HasPrefix(name, "AWS::"):
			return unknownValue{"the pseudo parameter " + clean(name)}
		case v.resources[name] != nil:
			return reference{id: name}
		}
		return unknownValue{finding.Quote(name) + ", which the template does not have"}
	}
	given, ok := v.parameters[name]
	switch kind := v.text(declared, "Type"); {
	case ok && given.why != "":
		return unknownValue{given.why}
	case ok && strings.HasPrefix(kind, "AWS::SSM::"): // the text is a name, and the value is stored under it
		return unknownValue{"the stored value of the parameter " + clean(name)}
	case ok && (kind == "CommaDelimitedList" || strings.HasPrefix(kind, "List<")):
		return splitText(given.text, ",")
	case ok:
		return plainText(given.text)
	}
	why := "the parameter " + clean(name)
	if byDefault := v.text(declared, "Default"); byDefault != "" {
		why += " (default " + finding.Quote(byDefault) + ")"
	}
	return unknownValue{why + ", which each deployment may set"}
}

// lookup returns an entry of one of the template's sections; nil if there is none.
func (v evaluator) lookup(section string, path ...string) ast.Node {
	n := v.root
	for _, key := range append([]string{section}, path...) {
		entries, _ := yamldoc.Entries(v.doc.Follow(n))
		n = nil
		for _, e := range entries { // of a key that is given twice the last counts
			if text, _ := yamldoc.Text(v.doc.Follow(e.Key)); text == key {
				n = e.Value
			}
		}
		if n == nil {
			return nil
		}
	}
	return n
}

func (v evaluator) attribute(argument ast.Node, depth int) any {
	id, attribute := "", ""
	switch x := v.value(argument, depth).(type) {
	case string:
		id, attribute, _ = strings.Cut(x, ".")
	case []any:
		texts, _ := allTexts(x)
		if len(texts) != 2 {
			return unknownValue{"Fn::GetAtt"}
		}
		id, attribute = texts[0], texts[1]
	}
	if v.resources[id] == nil || attribute == "" {
		return unknownValue{"Fn::GetAtt " + finding.Quote(id+"."+attribute)}
	}
	return reference{id, attribute}
}

// substitute is Fn::Sub: a text, or a list of a text and further variables.
func (v evaluator) substitute(argument ast.Node, depth int) any {
	variables := map[string]any{}
	list, ok := v.doc.Follow(argument).(*ast.SequenceNode)
	if ok {
		if len(list.Values) != 2 {
			return unknownValue{"Fn::Sub"}
		}
		if variables, ok = v.value(list.Values[1], depth).(map[string]any); !ok {
			return unknownValue{"Fn::Sub"}
		}
		argument = list.Values[0]
	}
	text, ok := yamldoc.Text(v.doc.Follow(argument))
	if !ok {
		return unknownValue{"Fn::Sub"}
	}
	return v.interpolate(text, variables)
}

func (v evaluator) interpolate(text string, variables map[string]any) any {
	var b strings.Builder
	whole := text
	for {
		before, rest, found := strings.Cut(text, "${")
		b.WriteString(before)
		name, after, closed := strings.Cut(rest, "}")
		switch {
		case !found:
			return plainText(b.String())
		case !closed:
			return unknownValue{"Fn::Sub " + finding.Quote(whole)}
		case strings.HasPrefix(name, "!"): // ${!Literal} stands for ${Literal}
			b.WriteString("${" + name[1:] + "}")
			text = after
			continue
		}
		value, own := variables[name]
		if !own {
			value = v.named(name)
		}
		part, why := known(value)
		switch {
		case "${"+name+"}" == whole:
			return value
		case why != "":
			return unknownValue{why}
		}
		b.WriteString(part)
		text = after
	}
}

// named is ${NAME} or ${RESOURCE.ATTRIBUTE} in Fn::Sub.
func (v evaluator) named(name string) any {
	id, attribute, dotted := strings.Cut(name, ".")
	switch {
	case !dotted:
		return v.ref(name)
	case v.resources[id] == nil:
		return unknownValue{finding.Quote("${" + name + "}")}
	}
	return reference{id, attribute}
}

// choose is Fn::If. A condition that is not decided does not matter if both values are the same.
func (v evaluator) choose(argument ast.Node, depth int) any {
	list, _ := v.doc.Follow(argument).(*ast.SequenceNode)
	if list == nil || len(list.Values) != 3 {
		return unknownValue{"Fn::If"}
	}
	name, _ := yamldoc.Text(v.doc.Follow(list.Values[0]))
	holds, why := v.condition(name, depth)
	switch {
	case why != "":
		then, isText := v.value(list.Values[1], depth).(string)
		if otherwise, too := v.value(list.Values[2], depth).(string); isText && too && then == otherwise {
			return then
		}
		return unknownValue{why}
	case holds:
		return v.value(list.Values[1], depth)
	}
	return v.value(list.Values[2], depth)
}

func (v evaluator) findInMap(argument ast.Node, depth int) any {
	list, _ := v.value(argument, depth).([]any)
	keys, why := allTexts(list)
	if why != "" || len(keys) != 3 {
		return unknownValue{strings.TrimSuffix("Fn::FindInMap: "+why, ": ")}
	}
	found := v.lookup("Mappings", keys...)
	if found == nil {
		return unknownValue{"Fn::FindInMap " + finding.Quote(strings.Join(keys, "."))}
	}
	return v.value(found, depth)
}

func (v evaluator) join(argument ast.Node, depth int) any {
	list, _ := v.value(argument, depth).([]any)
	if len(list) != 2 {
		return unknownValue{"Fn::Join"}
	}
	between, why := known(list[0])
	parts, ok := list[1].([]any)
	if !ok && why == "" {
		if _, why = known(list[1]); why == "" {
			why = "Fn::Join"
		}
	}
	texts, partsWhy := allTexts(parts)
	for _, w := range []string{why, partsWhy} {
		if w != "" {
			return unknownValue{w}
		}
	}
	return plainText(strings.Join(texts, between))
}

// pick is Fn::Select.
func (v evaluator) pick(argument ast.Node, depth int) any {
	list, _ := v.value(argument, depth).([]any)
	if len(list) != 2 {
		return unknownValue{"Fn::Select"}
	}
	index, why := known(list[0])
	i, err := strconv.Atoi(index)
	of, ok := list[1].([]any)
	switch {
	case why != "":
		return unknownValue{why}
	case !ok:
		if _, why = known(list[1]); why != "" {
			return unknownValue{why}
		}
		fallthrough
	case err != nil || i < 0 || i >= len(of):
		return unknownValue{"Fn::Select"}
	}
	return of[i]
}

func (v evaluator) split(argument ast.Node, depth int) any {
	list, _ := v.value(argument, depth).([]any)
	texts, why := allTexts(list)
	switch {
	case why != "":
		return unknownValue{why}
	case len(texts) != 2 || texts[0] == "":
		return unknownValue{"Fn::Split"}
	}
	return splitText(texts[1], texts[0])
}

func splitText(text, at string) []any {
	var out []any
	for _, part := range strings.SplitN(text, at, maxEntries) {
		out = append(out, strings.TrimSpace(part))
	}
	return out
}

// known is a value's text, or why it is not known.
func known(value any) (text, why string) {
	switch x := value.(type) {
	case string:
		return x, ""
	case nil:
		return "", ""
	case unknownValue:
		return "", cmp.Or(x.why, "it is not known")
	case reference:
		if x.attribute == "" {
			return "", clean(x.id) + ", which the same deployment makes"
		}
		return "", clean(x.id+"."+x.attribute) + ", which the deployment knows"
	case []any:
		return "", "it is a list"
	}
	return "", "it is a mapping"
}

func allTexts(values []any) (texts []string, why string) {
	for _, one := range values {
		text, why := known(one)
		if why != "" {
			return nil, why
		}
		texts = append(texts, text)
	}
	return texts, ""
}

// condition decides one of the template's conditions; why says why it cannot be decided.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html
func (v evaluator) condition(name string, depth int) (holds bool, why string) {
	n := v.lookup("Conditions", name)
	if n == nil {
		return false, "the condition " + finding.Quote(name) + " is not in the template"
	}
	if holds, why = v.decide(n, depth+1); why != "" {
		why = "the condition " + clean(name) + " depends on " + why
	}
	return holds, why
}

func (v evaluator) decide(n ast.Node, depth int) (holds bool, why string) {
	name, argument, _ := v.function(n)
	if depth > maxDepth || !v.doc.Spend(1) {
		return false, tooDeep.why
	}
	list, _ := v.doc.Follow(argument).(*ast.SequenceNode)
	switch {
	case name == "Condition":
		other, _ := yamldoc.Text(v.doc.Follow(argument))
		return v.condition(other, depth)
	case list == nil:
	case name == "Fn::Equals" && len(list.Values) == 2:
		texts, why := allTexts([]any{v.value(list.Values[0], depth), v.value(list.Values[1], depth)})
		return why == "" && texts[0] == texts[1], why
	case name == "Fn::Not" && len(list.Values) == 1:
		holds, why := v.decide(list.Values[0], depth+1)
		return !holds, why
	case name == "Fn::And" || name == "Fn::Or":
		for _, part := range list.Values { // one that is decided may decide for all
			switch one, not := v.decide(part, depth+1); {
			case not != "":
				why = not
			case one == (name == "Fn::Or"):
				return one, ""
			}
		}
		return why == "" && name == "Fn::And", why
	}
	return false, "something that certdrift does not read"
}
