package manifest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"certdrift/internal/observation"
)

// manifestKind is the resource of Terraform's Kubernetes provider that takes any object.
const manifestKind = "kubernetes_manifest"

// objectKinds are the kind and the version of the objects that the provider's other resources make, as far as they are read.
var objectKinds = map[string]struct{ kind, version string }{
	"kubernetes_service": {"Service", "v1"}, "kubernetes_service_v1": {"Service", "v1"},
	"kubernetes_ingress": {"Ingress", "networking.k8s.io/v1"}, "kubernetes_ingress_v1": {"Ingress", "networking.k8s.io/v1"},
	"kubernetes_ingress_class": {"IngressClass", "networking.k8s.io/v1"}, "kubernetes_ingress_class_v1": {"IngressClass", "networking.k8s.io/v1"},
}

// isKubernetes reports whether resources of a type are read as Kubernetes objects.
func isKubernetes(kind string) bool { return kind == manifestKind || objectKinds[kind].kind != "" }

// kubernetesResource reads a resource as the object that it makes.
func (t *terraform) kubernetesResource(res resource) {
	if t.undecidedObject(res) {
		return
	}
	object, ok := kubernetesObject(res.Type, res.Raw)
	if !ok {
		t.undecided(res, "it has an unexpected form")
		return
	}
	finish := t.asObject(res.Address, object, false)
	t.later(func() {
		from := finish()
		t.declared = append(t.declared, from.declared...)
		t.diagnostics = append(t.diagnostics, from.diagnostics...)
		t.passedOver = append(t.passedOver, from.passedOver...)
	})
}

// objectPaths lead to what decides about an object's listeners. What a cluster adds, such as the ports of its nodes, does not.
var objectPaths = [...][]string{
	{"manifest"}, {"metadata", "annotations"}, {"metadata", "name"}, {"metadata", "namespace"},
	{"spec", "type"}, {"spec", "load_balancer_class"}, {"spec", "port", "port"}, {"spec", "port", "name"}, {"spec", "port", "protocol"},
	{"spec", "ingress_class_name"}, {"spec", "rule", "host"}, {"spec", "tls", "hosts"}, {"spec", "controller"}, {"spec", "parameters"},
}

// undecidedObject reports an object of which a part that matters is known after the apply only.
func (t *terraform) undecidedObject(res resource) bool {
	c := t.changes[res.Address]
	if slices.ContainsFunc(objectPaths[:], func(path []string) bool { return c.unknown(path...) }) {
		t.undecided(res, "parts of it are known only after the apply")
		return true
	}
	return false
}

func (t *terraform) undecided(res resource, because string) {
	t.passedOver = append(t.passedOver, observation.PassedOver{Position: t.position(res.Address), Object: clean(res.Address), Why: because, Remedy: resourceRemedy})
}

// asObject begins to read an object, which finish ends once all files are known. What it declares stands where the resource does. gone:
// the object is deleted.
func (t *terraform) asObject(address string, object []byte, gone bool) (finish func() *reader) {
	at := t.position(address)
	from := &reader{file: t.file, namespace: "default", plain: t.plain, classes: t.classes, stacks: t.stacks, gone: gone, source: at}
	from.kubernetes(object)
	return func() *reader {
		from.finish()
		for i := range from.declared { // an Ingress's class may stand elsewhere
			from.declared[i].Source = at
		}
		return from
	}
}

// kubernetesRemoved declares, on request, that an object that is deleted keeps no listener. One that is made anew under its name
// stays.
func (t *terraform) kubernetesRemoved(c *change) {
	object, ok := kubernetesObject(c.Type, c.Change.Before)
	if !c.does("delete") || !ok {
		t.parametersLost(c, object)
		return
	}
	if made, ok := kubernetesObject(c.Type, t.after[c.Address]); ok && sameObject(made, object) {
		return
	}
	finish := t.asObject(c.Address, object, true)
	t.later(func() {
		from := finish()
		if len(from.diagnostics) > 0 {
			t.undecided(resource{Address: c.Address}, "it is deleted, and what it is now cannot be read: "+from.diagnostics[0].Message)
		}
		for _, o := range from.passedOver {
			t.undecided(resource{Address: c.Address}, "the apply removes what certdrift does not understand: "+o.Why)
		}
		var seen []string
		for _, d := range from.declared {
			if slices.Contains(seen, d.Object) {
				continue
			}
			seen = append(seen, d.Object)
			t.declared = append(t.declared, observation.Declaration{
				Object: d.Object, Service: d.Service, LoadBalancer: d.LoadBalancer, Group: d.Group, Kind: d.Kind, RemovesListeners: true, Source: d.Source,
			})
		}
	})
}

// parametersLost notes the certificates that an object holds no more after the apply and that other objects take from it: only they
// have listeners, and they may not be in the plan.
func (t *terraform) parametersLost(c *change, before []byte) {
	var was struct {
		Version  string `json:"apiVersion"`
		Kind     string
		Metadata struct{ Namespace, Name string }
	}
	if json.Unmarshal(before, &was) != nil {
		return
	}
	key := apiGroup(was.Version) + "/" + was.Metadata.Name
	switch {
	case was.Kind == balancerKind && apiGroup(was.Version) == balancerGroup:
		key = cmp.Or(was.Metadata.Namespace, "default") + "/" + was.Metadata.Name
	case was.Kind != "IngressClassParams":
		return
	}
	after := strings.Split(unescaped(t.after[c.Address]), "\n")
	for line := range strings.SplitSeq(unescaped(c.Change.Before), "\n") {
		if what := namesCertificate(line); what != "" && !slices.Contains(after, line) {
			t.classes.lost = append(t.classes.lost, lostCertificate{was.Kind + " " + key, what, t.position(c.Address)})
			return
		}
	}
}

// isRead reports whether a resource's object is of a kind that is read. It is false for resources of other types.
func isRead(kind string, raw json.RawMessage) bool {
	object, ok := kubernetesObject(kind, raw)
	var of struct{ Kind string }
	return isKubernetes(kind) && ok && json.Unmarshal(object, &of) == nil && declares(of.Kind)
}

// sameObject reports whether two objects have one kind, namespace and name.
func sameObject(a, b []byte) bool {
	type identity struct {
		Kind     string
		Metadata struct{ Namespace, Name string }
	}
	var x, y identity
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && x == y && x.Metadata.Name != ""
}

// kubernetesObject is the object of a resource in JSON. kubernetes_manifest has it as it is; the others have each block as a list
// of one, and snake case.
func kubernetesObject(kind string, raw json.RawMessage) ([]byte, bool) {
	if kind == manifestKind {
		var in struct {
			Manifest json.RawMessage `json:"manifest"`
		}
		err := json.Unmarshal(raw, &in)
		return in.Manifest, err == nil && bytes.HasPrefix(in.Manifest, []byte("{"))
	}
	var in struct {
		Metadata []struct {
			Name        string            `json:"name"`
			Namespace   string            `json:"namespace"`
			Annotations map[string]string `json:"annotations"`
		} `json:"metadata"`
		Spec []struct {
			Type      string       `json:"type"`
			Class     string       `json:"load_balancer_class"`
			Ingress   string       `json:"ingress_class_name"`
			Ports     []objectPort `json:"port"`
			Rules     []objectRule `json:"rule"`
			TLSBlocks []objectTLS  `json:"tls"`
			Control   string       `json:"controller"`
			Params    []struct {
				Group string `json:"api_group"`
				Kind  string `json:"kind"`
				Name  string `json:"name"`
			} `json:"parameters"`
		} `json:"spec"`
	}
	if json.Unmarshal(raw, &in) != nil || len(in.Metadata) != 1 || len(in.Spec) > 1 {
		return nil, false
	}
	spec := map[string]any{}
	if len(in.Spec) == 1 {
		s := in.Spec[0]
		for key, text := range map[string]string{"type": s.Type, "loadBalancerClass": s.Class, "ingressClassName": s.Ingress, "controller": s.Control} {
			if text != "" {
				spec[key] = text
			}
		}
		for key, list := range map[string]any{"ports": s.Ports, "rules": s.Rules, "tls": s.TLSBlocks} {
			spec[key] = list
		}
		for _, p := range s.Params {
			spec["parameters"] = map[string]string{"apiGroup": p.Group, "kind": p.Kind, "name": p.Name}
		}
	}
	meta := in.Metadata[0]
	metadata := map[string]any{"name": meta.Name, "annotations": meta.Annotations}
	if meta.Namespace != "" {
		metadata["namespace"] = meta.Namespace
	}
	made := objectKinds[kind]
	out, err := json.Marshal(map[string]any{"apiVersion": made.version, "kind": made.kind, "metadata": metadata, "spec": spec})
	return out, err == nil
}

type objectPort struct {
	Name     string `json:"name,omitempty"`
	Port     int    `json:"port"`
	Protocol string `json:"protocol,omitempty"`
}

type objectRule struct {
	Host string `json:"host,omitempty"`
}

type objectTLS struct {
	Hosts []string `json:"hosts"`
}
