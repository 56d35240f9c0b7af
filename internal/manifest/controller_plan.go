package manifest

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"certdrift/internal/arn"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// The annotations in which the AWS Load Balancer Controller writes what it computed: of a Gateway with gateway.k8s.aws/dry-run, and of
// the first Ingress of a group with the feature gate IngressPlanAnnotation.
// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress2gateway/lbc_migrate_reference/#dry-run-mode
const (
	gatewayPlan = "gateway.k8s.aws/dry-run-plan"
	ingressPlan = ingressPrefix + "dry-run-plan"
)

// controllerPlan is what such an annotation says about certificates: the stack of the object, or of its group, as the controller
// writes it (pkg/deploy, StackSchema).
type controllerPlan struct {
	stack     string
	listeners map[int]plannedListener
	hosts     []string // those of all rules
}

type plannedListener struct {
	secure bool
	arns   []string // the default first
	made   bool     // the controller makes some certificate, which has no ARN yet
}

func readControllerPlan(text string) (controllerPlan, error) {
	var in struct {
		ID        string `json:"id"`
		Resources struct {
			Listeners map[string]struct {
				Spec struct {
					Port         int    `json:"port"`
					Protocol     string `json:"protocol"`
					Certificates []struct {
						ARN json.RawMessage `json:"certificateARN"`
					} `json:"certificates"`
				} `json:"spec"`
			} `json:"AWS::ElasticLoadBalancingV2::Listener"`
			Rules map[string]struct {
				Spec struct {
					Conditions []struct {
						Hosts struct {
							Values []string `json:"values"`
						} `json:"hostHeaderConfig"`
					} `json:"conditions"`
				} `json:"spec"`
			} `json:"AWS::ElasticLoadBalancingV2::ListenerRule"`
		} `json:"resources"`
	}
	if err := json.Unmarshal([]byte(text), &in); err != nil || in.ID == "" {
		return controllerPlan{}, errors.New("it is not in the controller's format")
	}
	plan := controllerPlan{stack: in.ID, listeners: map[int]plannedListener{}}
	for _, l := range in.Resources.Listeners {
		p := plannedListener{secure: l.Spec.Protocol == "HTTPS" || l.Spec.Protocol == "TLS"}
		for _, c := range l.Spec.Certificates {
			var text string
			if json.Unmarshal(c.ARN, &text) != nil { // a reference to another resource of the stack
				p.made = true
				continue
			}
			if _, err := arn.Certificate(text); err != nil {
				return controllerPlan{}, errors.New(finding.Quote(text) + " " + err.Error())
			}
			p.arns = append(p.arns, text)
		}
		plan.listeners[l.Spec.Port] = p
	}
	for _, r := range in.Resources.Rules {
		for _, c := range r.Spec.Conditions {
			plan.hosts = append(plan.hosts, c.Hosts.Values...)
		}
	}
	plan.hosts = hosts(plan.hosts)
	return plan, nil
}

// heldToPlan holds the declarations of an object against what the controller itself computed, if the object carries that. Where
// certdrift cannot know the certificates (the controller discovers them; or, with elsewhere, the class is not in the input), the
// controller's word is taken, but only from an object as the cluster has it (with a uid), and only if the plan has its hostnames:
// an older plan, or one that was copied into a manifest, proves nothing. Where the two disagree, the ports are undecided. What a group
// of Ingresses shares is merged later: there, the plan must have what the object names.
func (o object) heldToPlan(annotation string, base observation.Declaration, declared []observation.Declaration, elsewhere bool) []observation.Declaration {
	at := o.annotation(annotation)
	if at == nil {
		return declared
	}
	line, column := o.position(at.Key)
	base.Source = o.at(line, column)
	plan, err := readControllerPlan(o.raw(annotation))
	if grouped := base.Group != ""; err == nil && plan.stack != base.Service && (!grouped || plan.stack != base.Group) {
		err = errors.New("it is the plan of " + finding.Quote(plan.stack))
	}
	if err != nil {
		o.passOver(line, column, o.label(), "its annotation "+annotation+", in which the controller writes what it attaches, cannot be read: "+err.Error(), annotationRemedy)
		return declared
	}
	out := slices.Clone(declared)
	for i := range out {
		out[i] = plan.hold(out[i], o.text(o.node, "metadata", "uid") != "", elsewhere)
	}
	for _, port := range slices.Sorted(maps.Keys(plan.listeners)) {
		known := slices.ContainsFunc(declared, func(d observation.Declaration) bool { return d.Port == port })
		if plan.listeners[port].secure && !known && base.Group == "" {
			further := base
			further.Port, further.Discovered, further.UndecidedBecause = port, true, disagrees(base.Object, port, plan.listeners[port].arns)
			out = append(out, further)
		}
	}
	return out
}

// hold holds one declaration against the plan.
func (p controllerPlan) hold(d observation.Declaration, live, elsewhere bool) observation.Declaration {
	planned := p.listeners[d.Port]
	open := d.Discovered && d.UndecidedBecause == "" || d.UndecidedBecause != "" && elsewhere
	switch {
	case d.UndecidedBecause != "" && !elsewhere:
	case !planned.secure, !d.Discovered && !planned.names(d):
		d.UndecidedBecause = disagrees(d.Object, d.Port, planned.arns)
	case !open, d.Group != "", !live, planned.made, len(planned.arns) == 0:
	case d.Discovered && !p.covers(d.Hosts):
	default:
		d.ARNs, d.Discovered, d.PortUncertain, d.UndecidedBecause = planned.arns, false, false, ""
	}
	return d
}

// names reports whether the plan has a declaration's certificates: all of them, and the same default, unless a group adds others.
func (l plannedListener) names(d observation.Declaration) bool {
	if d.Group != "" {
		return !slices.ContainsFunc(d.ARNs, func(arn string) bool { return !slices.Contains(l.arns, arn) })
	}
	return len(l.arns) > 0 && len(d.ARNs) > 0 && l.arns[0] == d.ARNs[0] && !l.made &&
		slices.Equal(slices.Sorted(slices.Values(l.arns)), slices.Sorted(slices.Values(d.ARNs)))
}

// covers reports whether the plan's rules have all of the hostnames, so that it is no older than they are.
func (p controllerPlan) covers(names []string) bool {
	return len(names) > 0 && !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(p.hosts, name) })
}

func disagrees(object string, port int, arns []string) string {
	has := "no certificate"
	if len(arns) > 0 {
		has = clean(strings.Join(arns, ", "))
	}
	return "why the controller's own plan, in an annotation of " + object + ", has " + has + " on port " + strconv.Itoa(port) +
		" and the manifests say otherwise: the plan is older than they are, or something that is not in the input decides"
}
