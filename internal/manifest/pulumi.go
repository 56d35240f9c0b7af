package manifest

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// pulumiState is the state of a resource (sdk/go/common/apitype, ResourceV3). Inputs are what the program sets, Outputs what the provider
// returned.
type pulumiState struct {
	URN          string              `json:"urn"`
	Type         string              `json:"type"`
	ID           string              `json:"id"`
	Custom       bool                `json:"custom"`
	External     bool                `json:"external"`
	Delete       bool                `json:"delete"`
	Retain       bool                `json:"retainOnDelete"`
	Inputs       map[string]any      `json:"inputs"`
	Outputs      map[string]any      `json:"outputs"`
	Dependencies []string            `json:"dependencies"`
	ByProperty   map[string][]string `json:"propertyDependencies"`
}

// pulumiStep is a step of a preview (pkg/display, PreviewStep).
type pulumiStep struct {
	Op  string       `json:"op"`
	URN string       `json:"urn"`
	Old *pulumiState `json:"oldState"`
	New *pulumiState `json:"newState"`
}

const pulumiHint = "run `pulumi preview --json` (with --show-sames, which includes what stays) and pass its output to certdrift"

// pulumi reads one value of Pulumi's JSON, a preview or an exported stack; false if it is other JSON.
// https://www.pulumi.com/docs/iac/cli/commands/pulumi_preview/, https://www.pulumi.com/docs/iac/cli/commands/pulumi_stack_export/
func (r *reader) pulumi(data []byte) bool {
	var shown struct {
		Steps       []pulumiStep    `json:"steps"`
		Summary     json.RawMessage `json:"changeSummary"`
		Duration    json.RawMessage `json:"duration"`
		Corrupt     bool            `json:"maybeCorrupt"`
		Sequence    json.RawMessage `json:"sequence"`
		Prelude     json.RawMessage `json:"preludeEvent"`
		Diagnostics []struct {
			Message  string `json:"message"`
			Severity string `json:"severity"`
		} `json:"diagnostics"`
		Deployment struct {
			Manifest  json.RawMessage `json:"manifest"`
			Resources []pulumiState   `json:"resources"`
		} `json:"deployment"`
	}
	if json.Unmarshal(data, &shown) != nil {
		return false
	}
	preview := len(shown.Steps) > 0 && strings.HasPrefix(shown.Steps[0].URN, "urn:pulumi:") || shown.Summary != nil && shown.Duration != nil
	export := shown.Deployment.Manifest != nil
	switch {
	case shown.Sequence != nil && shown.Prelude != nil:
		r.errorAt(1, 1, "this is Pulumi's log of events, not a preview", "unset PULUMI_ENABLE_STREAMING_JSON_PREVIEW, or run `pulumi preview --json` without it")
		return true
	case !preview && !export:
		return false
	}
	for _, d := range shown.Diagnostics {
		if d.Severity == "error" {
			r.errorAt(1, 1, "the preview is incomplete: Pulumi stopped with an error: "+clean(strings.TrimSpace(d.Message)), "fix what `pulumi preview` reports, and run it again")
			return true
		}
	}
	if shown.Corrupt {
		r.errorAt(1, 1, "the preview is incomplete: Pulumi reports that the state may be corrupt", "run `pulumi refresh`, and preview again")
		return true
	}
	r.understood++
	p := pulumi{terraform: newTerraform(r, data), names: map[string]string{}}
	p.name(shown.Steps, shown.Deployment.Resources)
	if preview {
		p.steps(shown.Steps)
	} else {
		for i := range shown.Deployment.Resources {
			if s := &shown.Deployment.Resources[i]; !s.Delete {
				p.resource(s, s.URN, nil)
			}
		}
	}
	if err := p.read(); err != nil {
		r.errorAt(1, 1, "the Pulumi JSON cannot be read: "+err.Error(), pulumiHint)
	}
	return true
}

// pulumi translates a preview into Terraform's terms, whose semantics are stated once: Pulumi's AWS provider is Terraform's, and the
// inputs of its Kubernetes resources are manifests.
type pulumi struct {
	*terraform
	names     map[string]string // a resource's name in the translation, by URN
	resources []map[string]any
	changes   []map[string]any
	config    []map[string]any
	preview   bool
}

// name gives each resource a short address, unless two share it.
func (p *pulumi) name(steps []pulumiStep, exported []pulumiState) {
	var urns []string
	for _, s := range steps {
		urns = append(urns, s.URN)
	}
	for _, s := range exported {
		urns = append(urns, s.URN)
	}
	owners := map[string]string{}
	for _, urn := range urns {
		short := shortURN(urn)
		if other, taken := owners[short]; taken && other != urn {
			owners[short] = ""
			continue
		}
		owners[short] = urn
	}
	for i, urn := range urns {
		address := shortURN(urn)
		if owners[address] != urn {
			address = urn
		}
		p.spelled[address] = urn
		if _, known := p.names[urn]; !known {
			p.names[urn] = "r" + strconv.Itoa(i)
		}
	}
}

// address is what a resource is called.
func (p *pulumi) address(urn string) string {
	if short := shortURN(urn); p.spelled[short] == urn {
		return short
	}
	return urn
}

// shortURN is TYPE::NAME of urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME.
func shortURN(urn string) string {
	parts := strings.SplitN(urn, "::", 4)
	if len(parts) < 4 {
		return urn
	}
	return shortType(urn) + "::" + parts[3]
}

// shortType is its TYPE.
func shortType(urn string) string {
	parts := strings.SplitN(urn, "::", 4)
	if len(parts) < 4 {
		return ""
	}
	return parts[2][strings.LastIndex(parts[2], "$")+1:]
}

// steps translates the steps of a preview, of which a replacement has several for one resource.
func (p *pulumi) steps(all []pulumiStep) {
	p.preview = true
	var order []string
	of := map[string][]pulumiStep{}
	for _, s := range all {
		if of[s.URN] == nil {
			order = append(order, s.URN)
		}
		of[s.URN] = append(of[s.URN], s)
	}
	for _, urn := range order {
		p.step(urn, of[urn])
	}
}

// step translates what happens to one resource. A state is missing if Pulumi could not write it.
func (p *pulumi) step(urn string, steps []pulumiStep) {
	var ops []string
	var before, after *pulumiState
	for _, s := range steps {
		ops = append(ops, s.Op)
		if before == nil {
			before = s.Old
		}
		if s.New != nil {
			after = s.New
		}
	}
	actions := actionsOf(ops)
	doubt := ""
	switch made, gone := slices.Contains(actions, "create"), slices.Contains(actions, "delete"); {
	case actions == nil:
		doubt = "certdrift does not know the operation " + finding.Quote(strings.Join(ops, ", ")) + " of Pulumi"
	case len(actions) == 0: // read, or out of the state only
	case gone && !made && before != nil && before.Retain: // it stays as it is, out of the state
	case gone && !made && before != nil:
		p.resource(nil, urn, &pulumiChange{actions, before})
	case !gone && slices.Contains(ops, "delete-replaced"):
		doubt = "a replacement of it was interrupted, and the update deletes what was left of it"
	case after == nil || made && gone && before == nil:
		doubt = "its state is missing from the preview"
	default:
		p.resource(after, urn, &pulumiChange{actions, before})
	}
	if doubt != "" && attaches(shortType(urn)) {
		p.undecided(resource{Address: p.address(urn)}, doubt)
	}
}

// attaches reports whether resources of a type may put a certificate on a load balancer.
func attaches(token string) bool {
	kind := terraformType(token)
	return !strings.HasPrefix(token, "pulumi:") && (matters(kind) || isKubernetes(kind) || mayAttach(kind))
}

func firstState(states ...*pulumiState) *pulumiState {
	for _, s := range states {
		if s != nil {
			return s
		}
	}
	return nil
}

// pulumiChange is what happens to a resource, in Terraform's terms.
type pulumiChange struct {
	actions []string
	before  *pulumiState
}

// actionsOf are the actions of a resource's operations (pkg/resource/deploy): none if nothing happens outside Pulumi, nil if one of them
// is not known.
func actionsOf(ops []string) []string {
	is := func(names ...string) bool {
		return slices.ContainsFunc(ops, func(op string) bool { return slices.Contains(names, op) })
	}
	known := []string{
		"same", "create", "update", "delete", "replace", "create-replacement", "delete-replaced", "read", "read-replacement", "refresh", "discard",
		"discard-replaced", "remove-pending-replace", "import", "import-replacement", "diff", "extend-parameterize",
	}
	if slices.ContainsFunc(ops, func(op string) bool { return !slices.Contains(known, op) }) {
		return nil
	}
	made := slices.IndexFunc(ops, func(op string) bool { return strings.HasPrefix(op, "create") || op == "replace" })
	switch {
	case is("read", "read-replacement", "discard", "discard-replaced"):
		return []string{}
	case is("replace", "create-replacement"), is("create") && is("delete", "delete-replaced"):
		if gone := slices.Index(ops, "delete-replaced"); gone >= 0 && gone < made || slices.Contains(ops[:made], "delete") {
			return []string{"delete", "create"}
		}
		return []string{"create", "delete"}
	case is("create"):
		return []string{"create"}
	case is("import", "import-replacement", "update"):
		return []string{"update"}
	case is("delete", "delete-replaced") && !is("same"):
		return []string{"delete"}
	case is("same", "refresh"):
		return []string{"no-op"}
	}
	return []string{}
}

// resource translates a resource: after is nil if it is deleted, change nil in an exported stack.
func (p *pulumi) resource(after *pulumiState, urn string, change *pulumiChange) {
	var before *pulumiState
	if change != nil {
		before = change.before
	}
	state := firstState(after, before)
	switch {
	case state == nil, state.External, strings.HasPrefix(state.Type, "pulumi:"), !state.Custom && !strings.HasPrefix(state.Type, "kubernetes:"):
		return
	}
	made := change != nil && slices.Contains(change.actions, "create")
	if change != nil && before == nil && !made { // imported
		before = &pulumiState{}
	}
	for _, one := range translations(state.Type, before, after, made) {
		if p.preview && change.actions[0] == "no-op" && matters(one.kind) && !isBalancer(one.kind) {
			continue // without a refresh, nobody compared it with AWS, and nothing happens to it
		}
		p.add(urn, state, one, change)
	}
}

// add adds one translated resource with its change.
func (p *pulumi) add(urn string, state *pulumiState, one translation, change *pulumiChange) {
	address := p.address(urn)
	if one.index != "" {
		address += "[" + one.index + "]"
		p.spelled[address] = urn
	}
	if one.after != nil {
		p.resources = append(p.resources, map[string]any{"address": address, "mode": "managed", "type": one.kind, "name": p.names[urn], "values": one.after})
	}
	expressions := map[string]any{}
	for _, attribute := range []string{"listenerArn", "loadBalancerArn"} {
		urns, ok := state.ByProperty[attribute]
		if !ok {
			urns = state.Dependencies
		}
		var references []string
		for _, u := range urns {
			if name, known := p.names[u]; known {
				references = append(references, terraformType(shortType(u))+"."+name)
			}
		}
		expressions[snake(attribute)] = map[string]any{"references": references}
	}
	plain, _ := withoutIndexes(address)
	p.config = append(p.config, map[string]any{"address": plain, "expressions": expressions})
	if change == nil {
		return
	}
	actions := change.actions
	if one.actions != nil {
		actions = one.actions
	}
	p.changes = append(p.changes, map[string]any{
		"address": address, "mode": "managed", "type": one.kind,
		"change": map[string]any{"actions": actions, "before": one.before, "after": one.after, "after_unknown": one.unknown},
	})
}

// read reads the translation.
func (p *pulumi) read() error {
	values, err := json.Marshal(map[string]any{"root_module": map[string]any{"resources": p.resources}})
	if err != nil {
		return errOtherForm
	}
	config, err := json.Marshal(map[string]any{"root_module": map[string]any{"resources": p.config}})
	if err != nil {
		return errOtherForm
	}
	var changes []byte
	if p.preview {
		if changes, err = json.Marshal(p.changes); err != nil {
			return errOtherForm
		}
	}
	before := len(p.declared)
	err = p.terraform.read(values, config, changes)
	for i := range p.declared[before:] {
		p.declared[before+i].Tool = observation.Pulumi
	}
	return err
}
