package manifest

import (
	"encoding/json"
	"strings"
)

// references has what the expressions of a plan's configuration refer to, by module and resource without indexes, and then by
// attribute. A resource that does not exist yet has no ARN to be referred to by.
type references map[string]map[string][]string

type configModule struct {
	Resources []struct {
		Address     string                     `json:"address"`
		Expressions map[string]json.RawMessage `json:"expressions"`
	} `json:"resources"`
	Calls map[string]struct {
		Module configModule `json:"module"`
	} `json:"module_calls"`
}

// readReferences returns none if there is no configuration, as in a state.
func readReferences(configuration json.RawMessage) references {
	refs := references{}
	var in struct {
		Root configModule `json:"root_module"`
	}
	if len(configuration) > 0 && json.Unmarshal(configuration, &in) == nil {
		refs.add("", in.Root, 0)
	}
	return refs
}

func (r references) add(path string, m configModule, depth int) {
	for _, res := range m.Resources {
		attributes := map[string][]string{}
		for _, name := range []string{"load_balancer_arn", "listener_arn"} {
			var expression struct {
				References []string `json:"references"`
			}
			if raw, ok := res.Expressions[name]; ok && json.Unmarshal(raw, &expression) == nil {
				attributes[name] = expression.References
			}
		}
		r[path+res.Address] = attributes
	}
	for name, call := range m.Calls {
		if depth < maxModules {
			r.add(path+"module."+name+".", call.Module, depth+1)
		}
	}
}

// leads reports whether an attribute of one resource refers to another of the same module. If both have indexes, these must
// be equal.
func (r references) leads(from resource, attribute string, to resource) bool {
	base, index := withoutIndexes(from.Address)
	_, otherIndex := withoutIndexes(to.Address)
	if index != "" && otherIndex != "" && index != otherIndex {
		return false
	}
	wanted := to.Type + "." + to.Name
	for _, reference := range r[base][attribute] {
		if plain, _ := withoutIndexes(reference); plain == wanted || strings.HasPrefix(plain, wanted+".") {
			return true
		}
	}
	return false
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
