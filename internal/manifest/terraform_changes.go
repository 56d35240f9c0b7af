package manifest

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// change is what a plan does to one resource
// (https://developer.hashicorp.com/terraform/internals/json-format#change-representation). "update" changes it in place; a
// replacement is "delete" and "create", in the order in which they are done; "forget" leaves it as it is and out of the state.
type change struct {
	Address string `json:"address"`
	Module  string `json:"module_address"`
	Mode    string `json:"mode"`
	Type    string `json:"type"`
	Change  struct {
		Actions []string        `json:"actions"`
		Before  json.RawMessage `json:"before"`
		After   json.RawMessage `json:"after"`
		Unknown json.RawMessage `json:"after_unknown"`
	} `json:"change"`
}

func (c *change) does(action string) bool {
	return c != nil && slices.Contains(c.Change.Actions, action)
}

// before is the resource as it was; false where there was none.
func (c *change) before() (attributes, bool, error) {
	var was attributes
	if c == nil || len(c.Change.Before) == 0 || string(c.Change.Before) == "null" {
		return was, false, nil
	}
	if err := json.Unmarshal(c.Change.Before, &was); err != nil {
		return was, false, errOtherForm
	}
	return was, true, nil
}

// unknown reports whether what is at a path, or a part of it, is known after the apply only. Blocks are lists, which the path passes
// over.
func (c *change) unknown(path ...string) bool {
	if c == nil {
		return false
	}
	var all any
	return json.Unmarshal(c.Change.Unknown, &all) == nil && unknownAt(all, path)
}

func unknownAt(v any, path []string) bool {
	if len(path) == 0 {
		return anyTrue(v)
	}
	switch v := v.(type) {
	case bool:
		return v
	case []any:
		return slices.ContainsFunc(v, func(one any) bool { return unknownAt(one, path) })
	case map[string]any:
		return unknownAt(v[path[0]], path[1:])
	}
	return false
}

func anyTrue(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case []any:
		return slices.ContainsFunc(v, anyTrue)
	case map[string]any:
		for _, one := range v {
			if anyTrue(one) {
				return true
			}
		}
	}
	return false
}

// readChanges reads a plan's changes by address; a state has none.
func readChanges(raw json.RawMessage) (all []change, byAddress map[string]*change, err error) {
	if len(raw) > 0 && json.Unmarshal(raw, &all) != nil {
		return nil, nil, errOtherForm
	}
	all = slices.DeleteFunc(all, func(c change) bool { return c.Mode == "data" })
	byAddress = map[string]*change{}
	for i := range all {
		byAddress[all[i].Address] = &all[i]
	}
	return all, byAddress, nil
}

// removed declares, on request, what a plan takes away: of what each resource was before, all that it is no more.
func (t *terraform) removed(all []change) error {
	if !t.plain {
		return nil
	}
	for i := range all {
		c := &all[i]
		if !c.does("delete") && !c.does("update") {
			continue
		}
		if isKubernetes(c.Type) {
			t.kubernetesRemoved(c)
			continue
		}
		if !matters(c.Type) {
			continue
		}
		was, existed, err := c.before()
		if err != nil {
			return err
		}
		if existed {
			t.takenAway(c, was)
		}
	}
	return nil
}

func (t *terraform) takenAway(c *change, was attributes) {
	res := resource{Address: c.Address, Type: c.Type, Values: was}
	switch {
	case isListenerCertificate(c.Type):
		t.detached(c, was)
	case isListener(c.Type):
		t.portsLost(res, listener{Port: was.Port, Protocol: was.Protocol})
	case c.Type == "aws_elb":
		t.portsLost(res, was.Listeners...)
	case c.does("delete"): // with all of its listeners, wherever they are declared
		t.declared = append(t.declared, observation.Declaration{
			Object: clean(c.Address), LoadBalancer: clean(was.Name), RemovesListeners: true, Source: t.position(c.Address),
		})
	}
}

// portsLost declares the ports that no resource of the plan has any more.
func (t *terraform) portsLost(res resource, ports ...listener) {
	balancer := clean(res.Values.Name)
	if isListener(res.Type) {
		if balancer = t.balancerName(res); balancer == "" && secured(res) {
			t.undecided(res, "the apply removes a listener, and its load balancer is not known")
			return
		}
	}
	for _, p := range ports {
		kept, perhaps := false, false
		for _, d := range t.declared {
			kept = kept || d.Port == p.Port && d.LoadBalancer == balancer
			perhaps = perhaps || d.Port == p.Port && d.LoadBalancer == "" && d.Object == clean(res.Address)
		}
		if kept || p.Port == 0 || balancer == "" {
			continue
		}
		before := len(t.declared)
		t.withoutCertificate(res, p)
		if perhaps && len(t.declared) > before {
			t.declared[before].UndecidedBecause = "whether " + clean(res.Address) + " stays on " + balancer + ": which load balancer it gets is known only after the apply"
		}
	}
}

// detached declares that a certificate leaves the SNI list of a listener. A replacement that attaches the same one again
// counts by its order.
func (t *terraform) detached(c *change, was attributes) {
	name, kind := fromARN(was.Listener)
	if name == "" || was.CertificateARN == "" {
		t.undecided(resource{Address: c.Address}, "the apply removes a certificate from a listener, and it is not known which")
		return
	}
	for i := range t.resources {
		res := &t.resources[i]
		same := res.Address == c.Address && res.Values.Listener == was.Listener && res.Values.CertificateARN == was.CertificateARN
		if same && (!c.does("delete") || c.Change.Actions[0] == "delete" && c.does("create")) {
			return
		}
	}
	t.declared = append(t.declared, observation.Declaration{
		Object: clean(c.Address), LoadBalancer: name, Kind: kind, Listener: clean(was.Listener), Detaches: []string{clean(was.CertificateARN)}, Source: t.position(c.Address),
	})
}

// reimported reports certificates whose ARN stays while the apply puts another certificate under it: what they will hold is not what
// AWS has now.
func (t *terraform) reimported(all []change) {
	for i := range all {
		c := &all[i]
		was, existed, err := c.before()
		if err != nil || !existed || was.ARN == "" || !c.keepsARN(was) || !t.bodyChanges(c, was) {
			continue
		}
		t.declared = append(t.declared, observation.Declaration{
			Object: clean(c.Address), Source: t.position(c.Address), ARNs: []string{clean(was.ARN)}, Reimports: true,
			UndecidedBecause: "what " + finding.Clean(was.ARN, finding.QuoteLimit) + " holds after the apply: " + clean(c.Address) + " imports another certificate under it",
		})
	}
}

// keepsARN reports whether a certificate that the apply changes has the same ARN after it. ACM's is in the update; IAM's consists of
// path and name, so that it also survives a replacement.
func (c *change) keepsARN(was attributes) bool {
	switch c.Type {
	case "aws_acm_certificate":
		return c.does("update") && !c.does("create")
	case "aws_iam_server_certificate":
		var after attributes
		return (c.does("update") || c.does("create")) && json.Unmarshal(c.Change.After, &after) == nil &&
			strings.HasSuffix(was.ARN, ":server-certificate"+cmp.Or(after.Path, "/")+after.Name)
	}
	return false
}

func (t *terraform) bodyChanges(c *change, was attributes) bool {
	if c.unknown("certificate_body") {
		return true
	}
	var after attributes
	return json.Unmarshal(c.Change.After, &after) != nil || after.Body != was.Body
}
