package manifest

import (
	"encoding/json"
	"slices"
	"strings"
)

// configModule is a module of a plan's configuration, whose expressions say what they refer to. A resource that does not exist yet
// has no ARN to be referred to by. What a local value stands for is not in the plan.
// https://developer.hashicorp.com/terraform/internals/json-format#configuration-representation
type configModule struct {
	Resources []configResource `json:"resources"`
	Calls     map[string]struct {
		Expressions map[string]json.RawMessage `json:"expressions"`
		Module      configModule               `json:"module"`
	} `json:"module_calls"`
	Outputs map[string]struct {
		Expression json.RawMessage `json:"expression"`
	} `json:"outputs"`
}

type configResource struct {
	Address      string                     `json:"address"`
	Expressions  map[string]json.RawMessage `json:"expressions"`
	Provisioners json.RawMessage            `json:"provisioners"`
}

// readConfiguration returns an empty module if there is none, as in a state.
func readConfiguration(raw json.RawMessage) *configModule {
	var in struct {
		Root configModule `json:"root_module"`
	}
	if len(raw) == 0 || json.Unmarshal(raw, &in) != nil {
		return &configModule{}
	}
	return &in.Root
}

// step is one part of an address: a name, and an index such as 0 or "key", or anyIndex.
type step struct{ name, index string }

const anyIndex = "*"

// referred is a resource that an expression refers to: its module's instance, TYPE.NAME, and its index where the expression has one.
type referred struct {
	module []step
	base   string
	index  string
}

// maxHops is how many variables and outputs are followed from one expression.
const maxHops = 100

// resolver follows references of one expression.
type resolver struct {
	root *configModule
	hops int
}

// referencesOf are the resources that an attribute of a resource refers to, through variables and outputs of modules.
func (m *configModule) referencesOf(from resource, attribute string) []referred {
	return (&resolver{root: m}).follow(steps(from.module), references(m.resource(from.module, from.Address).Expressions[attribute]))
}

// resource is the configuration of a resource of a module's instance; empty if there is none.
func (m *configModule) resource(module, address string) configResource {
	if in := m.at(steps(module)); in != nil {
		base, _ := withoutIndexes(strings.TrimPrefix(strings.TrimPrefix(address, module), "."))
		for _, res := range in.Resources {
			if res.Address == base {
				return res
			}
		}
	}
	return configResource{}
}

// references are the references of an expression, or of those within it.
func references(raw json.RawMessage) []string {
	var one struct {
		References []string `json:"references"`
	}
	if len(raw) == 0 || json.Unmarshal(raw, &one) != nil {
		return nil
	}
	return one.References
}

// at is the configuration of a module; nil if there is none.
func (m *configModule) at(module []step) *configModule {
	for _, s := range module {
		call, ok := m.Calls[s.name]
		if !ok {
			return nil
		}
		m = &call.Module
	}
	return m
}

func (r *resolver) follow(module []step, refs []string) []referred {
	if r.hops++; r.hops > maxHops {
		return nil
	}
	var out []referred
	for _, ref := range refs {
		for _, found := range r.one(module, dotted(ref)) {
			i := slices.IndexFunc(out, func(o referred) bool { return o.base == found.base && slices.Equal(o.module, found.module) })
			switch {
			case i < 0:
				out = append(out, found)
			case out[i].index == "": // the same reference in a shorter form has no index
				out[i].index = found.index
			}
		}
	}
	return out
}

// one follows one reference from within a module.
func (r *resolver) one(module []step, ref []step) []referred {
	if len(ref) < 2 {
		return nil
	}
	switch ref[0].name {
	case "each", "count", "local", "path", "terraform", "data", "self":
		return nil
	case "var":
		if len(module) == 0 {
			return nil
		}
		last := len(module) - 1
		parent := r.root.at(module[:last])
		if parent == nil {
			return nil
		}
		return r.follow(module[:last], references(parent.Calls[module[last].name].Expressions[ref[1].name]))
	case "module":
		called := ref[1]
		if called.index == "" {
			called.index = anyIndex
		}
		inside := append(slices.Clone(module), called)
		config := r.root.at(inside)
		if config == nil || len(ref) < 3 {
			return nil
		}
		return r.follow(inside, references(config.Outputs[ref[2].name].Expression))
	}
	return []referred{{module, ref[0].name + "." + ref[1].name, ref[1].index}}
}

// steps splits the address of a module's instance: module.a[0].module.b.
func steps(module string) []step {
	var out []step
	for i, s := range dotted(module) {
		if i%2 == 1 {
			out = append(out, s)
		}
	}
	return out
}

// dotted splits an address at its dots, except within an index.
func dotted(address string) []step {
	var out []step
	for address != "" {
		end := strings.IndexAny(address, ".[")
		if end < 0 {
			return append(out, step{name: address})
		}
		s := step{name: address[:end]}
		address = address[end:]
		for strings.HasPrefix(address, "[") {
			length := strings.Index(address, "]") + 1
			if strings.HasPrefix(address, `["`) {
				length = strings.Index(address, `"]`) + 2
			}
			if length < 2 {
				return append(out, s)
			}
			s.index, address = address[1:length-1], address[length:]
		}
		out = append(out, s)
		address = strings.TrimPrefix(address, ".")
	}
	return out
}

// is reports whether a resource may be the one that is referred to.
func (r referred) is(res resource) bool {
	module := steps(res.module)
	_, index := withoutIndexes(strings.TrimPrefix(res.Address, res.module))
	if res.Type+"."+res.Name != r.base || len(module) != len(r.module) || r.index != "" && r.index != index {
		return false
	}
	for i, s := range module {
		if want := r.module[i]; s.name != want.name || want.index != anyIndex && s.index != want.index {
			return false
		}
	}
	return true
}

// withoutIndexes removes [0] and ["key"] from an address, and returns the last of them.
func withoutIndexes(address string) (plain, last string) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(address, "[")
		b.WriteString(before)
		if !found {
			return b.String(), last
		}
		end := strings.Index(rest, "]")
		if strings.HasPrefix(rest, `"`) {
			end = strings.Index(rest, `"]`) + 1
		}
		if end <= 0 {
			return b.String(), last
		}
		last, address = rest[:end], rest[end+1:]
	}
}
