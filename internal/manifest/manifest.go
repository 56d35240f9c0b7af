// Package manifest reads the certificates that Kubernetes manifests, Terraform plans and CloudFormation templates attach to load balancers. Every
// deployment applies them again, so that they eventually override what was fixed by hand.
//
// Read takes the content of one file. Load finds files: paths, directories, globs, standard input, and remote prefixes through
// a function of the caller.
package manifest

import (
	"encoding/json"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// maxFile is the maximum size of one file in bytes: `helm template` of a large platform writes some megabytes.
const maxFile = 32 << 20

// Read returns the certificates that one file declares, in the file's order, and its errors. The file contains Kubernetes
// objects (YAML or JSON, several documents, Lists), is a Terraform plan or state as `terraform show -json` prints it, or a CloudFormation
// template or change set. Objects of other kinds are ignored.
func Read(name string, data []byte) ([]observation.Declaration, []observation.Diagnostic) {
	r := &reader{file: name, namespace: "default", classes: newClasses(), stacks: newStacks()}
	r.read(data)
	r.classes.readLive()
	r.finish()
	return r.declared, r.diagnostics
}

func (r *reader) read(data []byte) {
	r.reportHidden(data)
	data = lines(data)
	switch {
	case len(data) > maxFile:
		r.errorAt(1, 1, "the file is larger than 32 MiB", "pass only the Services and Ingresses")
	case r.json(data):
	case wrapped.Match(data):
		r.errorAt(1, 1, "there is other text before, between or after Terraform's JSON", "write the output of `terraform show -json PLAN` to the file alone (in GitHub Actions: terraform_wrapper: false)")
	default:
		r.kubernetes(data)
	}
	if r.named && r.understood == 0 && r.objects == 0 && len(r.diagnostics) == 0 {
		r.errorAt(1, 1, "the file contains no manifest, plan or template", noManifestHint)
	}
}

// reader collects the declarations and errors of one file.
type reader struct {
	file, namespace string          // the namespace of objects that name none
	plain           bool            // see Options.Plain
	named           bool            // all of the file must be a manifest, a plan or a template
	gone            bool            // the objects are being deleted
	source          target.Position // of the resource that makes what is being read; zero if it stands for itself
	before          int             // lines of the file before what is being read
	objects         int             // seen so far
	understood      int             // of them, and plans
	classes         *classes
	stacks          *stacks
	pending         []pending
	declared        []observation.Declaration
	passedOver      []observation.PassedOver
	diagnostics     []observation.Diagnostic
}

// pending is an object that can be read only when all files are known.
type pending struct {
	index int // of its first declaration
	read  func()
}

// later postpones reading an object until finish.
func (r *reader) later(read func()) { r.pending = append(r.pending, pending{len(r.declared), read}) }

// finish reads the objects that were postponed. Declarations stay in the file's order.
func (r *reader) finish() {
	all := r.declared
	r.declared = nil
	var out []observation.Declaration
	done := 0
	for _, p := range r.pending {
		out = append(out, all[done:p.index]...)
		done = p.index
		p.read()
		out = append(out, r.declared...)
		r.declared = nil
	}
	r.declared, r.pending = append(out, all[done:]...), nil
}

func (r *reader) at(line, column int) target.Position {
	if r.source.Line > 0 {
		return r.source
	}
	return target.Position{File: r.file, Line: r.before + line, Column: column}
}

func (r *reader) errorAt(line, column int, message, hint string) {
	r.diagnostics = append(r.diagnostics, observation.Diagnostic{Position: r.at(line, column), Message: message, Hint: hint})
}

// terraform reads one value of Terraform's JSON; false if it is other JSON.
func (r *reader) terraform(data []byte) bool {
	var shown struct {
		FormatVersion string          `json:"format_version"`
		Terraform     string          `json:"terraform_version"`
		Level         string          `json:"@level"`
		Kind          string          `json:"kind"`
		Planned       json.RawMessage `json:"planned_values"`
		Values        json.RawMessage `json:"values"`
		Configuration json.RawMessage `json:"configuration"`
		Changes       json.RawMessage `json:"resource_changes"`
		Deferred      json.RawMessage `json:"deferred_changes"`
		Actions       json.RawMessage `json:"action_invocations"`
		Later         json.RawMessage `json:"deferred_action_invocations"`
		Errored       bool            `json:"errored"`
	}
	if err := json.Unmarshal(data, &shown); err != nil || shown.Kind != "" {
		return false
	}
	const hint = "run `terraform show -json PLAN` (or `terraform show -json` for the state) and pass its output to certdrift"
	switch {
	case shown.FormatVersion == "" && (shown.Terraform != "" || shown.Level != ""):
		r.errorAt(1, 1, "this is Terraform's internal state or log, whose format changes between versions", hint)
		return true
	case shown.FormatVersion == "":
		return false
	case !slices.Contains([]string{"0", "1"}, strings.Split(shown.FormatVersion, ".")[0]): // others may mean something else by the same names
		r.errorAt(1, 1, "certdrift does not know version "+finding.Quote(shown.FormatVersion)+" of Terraform's JSON", "use a newer certdrift, or a Terraform that writes version 1")
		return true
	case shown.Errored:
		r.errorAt(1, 1, "the plan is incomplete: Terraform stopped with an error", "fix what `terraform plan` reports, and plan again")
		return true
	}
	r.understood++
	t := newTerraform(r, data)
	values := shown.Planned
	if values == nil {
		values = shown.Values
	}
	if err := t.read(values, shown.Configuration, shown.Changes); err != nil {
		r.errorAt(1, 1, "the Terraform JSON cannot be read: "+err.Error(), hint)
	}
	t.passOverDeferred(shown.Deferred)
	t.passOverActions(shown.Actions, shown.Later)
	return true
}
