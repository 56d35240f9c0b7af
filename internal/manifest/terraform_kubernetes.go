package manifest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"certdrift/internal/observation"
)

// isKubernetes reports whether a resource of Terraform's Kubernetes provider is a Service, an Ingress, or any object.
func isKubernetes(kind string) bool {
	switch kind {
	case "kubernetes_ingress_v1", "kubernetes_ingress", "kubernetes_service_v1", "kubernetes_service", "kubernetes_manifest":
		return true
	}
	return false
}

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
	finish := t.asObject(res.Address, object)
	t.later(func() {
		from := finish()
		t.declared = append(t.declared, from.declared...)
		t.diagnostics = append(t.diagnostics, from.diagnostics...)
		t.passedOver = append(t.passedOver, from.passedOver...)
	})
}

// undecidedObject reports an object of which a part that matters is known after the apply only.
func (t *terraform) undecidedObject(res resource) bool {
	c := t.changes[res.Address]
	if c.unknown("manifest") || c.unknown("metadata") && unknownIn(c, "annotations", "name", "namespace") || unknownIn(c, "port", "rule", "tls", "type", "ingress_class_name", "load_balancer_class") {
		t.undecided(res, "parts of it are known after the apply")
		return true
	}
	return false
}

// unknownIn reports whether one of the keys of metadata or spec is known after the apply only.
func unknownIn(c *change, keys ...string) bool {
	if c == nil {
		return false
	}
	var all map[string]any
	if json.Unmarshal(c.Change.Unknown, &all) != nil {
		return false
	}
	for _, block := range []string{"metadata", "spec"} {
		blocks, _ := all[block].([]any)
		for _, b := range blocks {
			entries, _ := b.(map[string]any)
			if slices.ContainsFunc(keys, func(k string) bool { return anyTrue(entries[k]) }) {
				return true
			}
		}
	}
	return false
}

func (t *terraform) undecided(res resource, because string) {
	t.passedOver = append(t.passedOver, observation.PassedOver{Position: t.position(res.Address), Object: clean(res.Address), Why: because})
}

// asObject begins to read an object, which finish ends once all files are known. What it declares stands where the resource does.
func (t *terraform) asObject(address string, object []byte) (finish func() *reader) {
	at := t.position(address)
	from := &reader{file: t.file, namespace: "default", plain: t.plain, classes: t.classes}
	from.kubernetes(object)
	return func() *reader {
		from.finish()
		for i := range from.declared {
			from.declared[i].Source = at
		}
		for i := range from.diagnostics {
			from.diagnostics[i].Position = at
		}
		for i := range from.passedOver {
			from.passedOver[i].Position = at
		}
		return from
	}
}

// kubernetesRemoved declares, on request, that an object that is deleted keeps no listener.
func (t *terraform) kubernetesRemoved(c *change) {
	object, ok := kubernetesObject(c.Type, c.Change.Before)
	if !c.does("delete") || c.does("create") || !ok {
		return
	}
	finish := t.asObject(c.Address, object)
	t.later(func() {
		var seen []string
		for _, d := range finish().declared {
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

// kubernetesObject is the object of a resource in JSON. kubernetes_manifest has it as it is; the others have each block as a list
// of one, and snake case.
func kubernetesObject(kind string, raw json.RawMessage) ([]byte, bool) {
	if kind == "kubernetes_manifest" {
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
		} `json:"spec"`
	}
	if json.Unmarshal(raw, &in) != nil || len(in.Metadata) != 1 || len(in.Spec) > 1 {
		return nil, false
	}
	version, name := "v1", "Service"
	if strings.HasPrefix(kind, "kubernetes_ingress") {
		version, name = "networking.k8s.io/v1", "Ingress"
	}
	spec := map[string]any{}
	if len(in.Spec) == 1 {
		s := in.Spec[0]
		for key, text := range map[string]string{"type": s.Type, "loadBalancerClass": s.Class, "ingressClassName": s.Ingress} {
			if text != "" {
				spec[key] = text
			}
		}
		for key, list := range map[string]any{"ports": s.Ports, "rules": s.Rules, "tls": s.TLSBlocks} {
			spec[key] = list
		}
	}
	meta := in.Metadata[0]
	metadata := map[string]any{"name": meta.Name, "annotations": meta.Annotations}
	if meta.Namespace != "" {
		metadata["namespace"] = meta.Namespace
	}
	out, err := json.Marshal(map[string]any{"apiVersion": version, "kind": name, "metadata": metadata, "spec": spec})
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
