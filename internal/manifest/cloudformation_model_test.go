package manifest

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// expression is a value in a template, as text, with what CloudFormation makes of it; known is false if that depends on a parameter.
type expression struct {
	text, value string
	known       bool
}

// call writes a function in its short or its long form.
func call(t *rapid.T, name, argument string) string {
	if rapid.Bool().Draw(t, "short form") {
		return "!" + name + " " + argument
	}
	if name != "Ref" {
		name = "Fn::" + name
	}
	return fmt.Sprintf("{%q: %s}", name, argument)
}

func literal(t *rapid.T) expression {
	text := rapid.SampledFrom([]string{"a", "b2", "web", "x-y"}).Draw(t, "text")
	return expression{asJSON(text), text, true}
}

// conditions of the generated templates, and whether they hold; "?" depends on a parameter.
var generatedConditions = map[string]string{"Yes": "true", "No": "false", "Perhaps": "?", "Both": "true", "Neither": "false", "Either": "true", "Open": "?"}

const generatedHead = `
Parameters: {P: {Type: String, Default: web}}
Mappings: {M: {one: {x: mapped, y: other}, two: {x: second, y: fourth}}}
Conditions:
  Yes: !Equals [a, a]
  No: {"Fn::Equals": [a, b]}
  Perhaps: !Equals [!Ref P, web]
  Both: !And [!Condition Yes, !Not [!Condition No]]
  Neither: {"Fn::And": [{Condition: Perhaps}, {Condition: No}]}
  Either: !Or [!Condition Perhaps, !Condition Yes]
  Open: !Or [!Condition Perhaps, !Condition No]
`

// expressionOf makes an expression by the functions' documentation
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html).
func expressionOf(t *rapid.T, depth int) expression {
	if depth == 0 {
		if rapid.IntRange(0, 4).Draw(t, "leaf") == 0 {
			return expression{call(t, "Ref", "P"), "", false}
		}
		return literal(t)
	}
	part := func() expression { return expressionOf(t, rapid.IntRange(0, depth-1).Draw(t, "depth")) }
	switch rapid.SampledFrom([]string{"leaf", "Join", "Sub", "Sub with variables", "Select", "Split", "If", "FindInMap"}).Draw(t, "function") {
	case "Join":
		a, b := part(), part()
		return expression{call(t, "Join", fmt.Sprintf(`["-", [%s, %s]]`, a.text, b.text)), a.value + "-" + b.value, a.known && b.known}
	case "Sub":
		name := rapid.SampledFrom([]string{"${P}", "${!P}", "q"}).Draw(t, "variable")
		value := map[string]string{"${!P}": "${P}", "q": "q"}[name]
		return expression{call(t, "Sub", asJSON("s"+name+"s")), "s" + value + "s", name != "${P}"}
	case "Sub with variables":
		a := part()
		return expression{call(t, "Sub", fmt.Sprintf(`["v${V}v", {"V": %s}]`, a.text)), "v" + a.value + "v", a.known}
	case "Select":
		parts := []expression{part(), part()}
		i := rapid.IntRange(0, 1).Draw(t, "index")
		return expression{call(t, "Select", fmt.Sprintf("[%d, [%s, %s]]", i, parts[0].text, parts[1].text)), parts[i].value, parts[i].known}
	case "Split":
		a := part()
		pieces := strings.Split(a.value+"/"+a.value, "/")
		joined := call(t, "Join", fmt.Sprintf(`["/", [%s, %s]]`, a.text, a.text))
		return expression{call(t, "Select", fmt.Sprintf(`["1", %s]`, call(t, "Split", fmt.Sprintf(`["/", %s]`, joined)))), pieces[1], a.known}
	case "If":
		a, b := part(), part()
		names := []string{"Yes", "No", "Perhaps", "Both", "Neither", "Either", "Open"}
		name := rapid.SampledFrom(names).Draw(t, "condition")
		chosen := map[string]expression{"true": a, "false": b, "?": {value: a.value, known: a.known && b.known && a.value == b.value}}[generatedConditions[name]]
		return expression{call(t, "If", fmt.Sprintf("[%s, %s, %s]", name, a.text, b.text)), chosen.value, chosen.known}
	case "FindInMap":
		key := part()
		found, ok := map[string]string{"one": "mapped", "two": "second"}[key.value]
		if key.known && !ok {
			key, found = expression{asJSON("one"), "one", true}, "mapped"
		}
		return expression{call(t, "FindInMap", fmt.Sprintf("[M, %s, x]", key.text)), found, key.known}
	}
	return literal(t)
}

// TestIntrinsicsAsDocumented: what generated expressions in both forms amount to is computed where it does not depend on a parameter, and
// undecided where it does.
func TestIntrinsicsAsDocumented(t *testing.T) {
	seen := map[bool]int{}
	rapid.Check(t, func(t *rapid.T) {
		x := expressionOf(t, 4)
		text := generatedHead + "Resources:\n  Web:\n    Type: AWS::ElasticLoadBalancing::LoadBalancer\n    Properties:\n      LoadBalancerName: web\n      Listeners:\n" +
			"        - LoadBalancerPort: 443\n          Protocol: SSL\n          SSLCertificateId: !Join ['', ['arn:aws:acm:eu-west-1:111122223333:certificate/', " + x.text + "]]\n"
		if strings.Contains(x.value, "${") { // no ARN has that
			return
		}
		read := loaded(text)
		if len(read.Diagnostics)+len(read.PassedOver) > 0 || len(read.Declared) == 0 {
			t.Fatalf("%+v\n%s", read, text)
		}
		d := read.Declared[0]
		want := ""
		if x.known {
			want = "arn:aws:acm:eu-west-1:111122223333:certificate/" + x.value
		}
		if got := strings.Join(d.ARNs, " "); got != want || (d.UndecidedBecause == "") != x.known {
			t.Errorf("%q, undecided %q, want %q\n%s", got, d.UndecidedBecause, want, text)
		}
		seen[x.known]++
	})
	if seen[true] == 0 || seen[false] == 0 {
		t.Errorf("known and unknown: %v", seen)
	}
}
