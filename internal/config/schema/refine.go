package schema

import (
	"slices"

	"github.com/invopop/jsonschema"

	"certdrift/internal/target"
)

// refine adds the requirements of the loader's checks to the schema of the types.
func refine(root *jsonschema.Schema) {
	requireDeclaration(root)
	patterns := forms()
	shapes := map[string]*jsonschema.Schema{"": root}
	for definition, schema := range root.Definitions {
		shapes[definition] = schema
	}
	for definition, schema := range shapes {
		required := map[string]bool{}
		for _, key := range schema.Required {
			required[key] = true
		}
		for pair := schema.Properties.Oldest(); pair != nil; pair = pair.Next() {
			fill(pair.Value, patterns[definition][pair.Key])
			if !required[pair.Key] {
				pair.Value = orNothing(pair.Value)
			}
		}
	}
	refineEndpoint(root)
	refineHeaders(root)
	refineSilence(root)
	allowRoleARN(root)
}

// fill requires texts to be non-empty and to match a pattern, also in lists and mappings.
func fill(s *jsonschema.Schema, pattern string) {
	switch {
	case s.Type == "array":
		fill(s.Items, pattern)
	case s.Type == "object" && s.AdditionalProperties != nil:
		fill(s.AdditionalProperties, pattern)
	case s.Type != "string" || s.Pattern != "" || len(s.Enum) > 0:
	case pattern != "":
		s.Pattern = pattern
	default:
		one := uint64(1)
		s.MinLength = &one
	}
}

// orNothing allows an optional mapping or list to be null, since people comment out what is below a key.
func orNothing(s *jsonschema.Schema) *jsonschema.Schema {
	if s.Ref == "" && s.Type != "array" && s.Type != "object" {
		return s
	}
	bare := *s
	bare.Description = ""
	return &jsonschema.Schema{Description: s.Description, AnyOf: []*jsonschema.Schema{&bare, {Type: "null"}}}
}

// requireDeclaration requires at least one key where no particular one is required.
func requireDeclaration(root *jsonschema.Schema) {
	for _, name := range []string{"Declared", "Match"} {
		one := uint64(1)
		root.Definitions[name].MinProperties = &one
	}
}

// refineEndpoint limits names, and forbids keys that the URL's kind does not use.
func refineEndpoint(root *jsonschema.Schema) {
	endpoint := root.Definitions["Endpoint"]
	longest, url := uint64(200), uint64(2048)
	property(endpoint, "name").MaxLength = &longest
	property(endpoint, "url").MaxLength = &url
	property(root, "environments").AnyOf[0].PropertyNames = &jsonschema.Schema{Pattern: visible, MaxLength: &longest}
	endpoint.AllOf = []*jsonschema.Schema{
		without(otherURL(), "expect", "request"),
		without("^"+anyOf(slices.DeleteFunc(target.Schemes(), func(scheme string) bool { return scheme == string(target.SMTP) })...)+"://", "ehlo_name"),
		without("^"+anyCase("http")+"://", "certificate", "client_certificate"),
	}
}

// without forbids values for some keys if the URL matches a pattern.
func without(url string, keys ...string) *jsonschema.Schema {
	is, then := jsonschema.NewProperties(), jsonschema.NewProperties()
	is.Set("url", &jsonschema.Schema{Pattern: url})
	for _, key := range keys {
		then.Set(key, &jsonschema.Schema{Type: "null"})
	}
	return &jsonschema.Schema{
		If: &jsonschema.Schema{Properties: is, Required: []string{"url"}}, Then: &jsonschema.Schema{Properties: then},
	}
}

// refineHeaders restricts the names and values of headers.
func refineHeaders(root *jsonschema.Schema) {
	headers := property(root.Definitions["Request"], "headers").AnyOf[0]
	headers.PropertyNames = &jsonschema.Schema{Pattern: field, Not: &jsonschema.Schema{
		Pattern: "^" + anyOf("host", "content-length", "transfer-encoding", "connection", "trailer", "upgrade") + "$",
	}}
	headers.AdditionalProperties.Pattern = `^[^\x00-\x08\x0a-\x1f\x7f]+$`
}

// refineSilence requires an end.
func refineSilence(root *jsonschema.Schema) {
	weekly := jsonschema.NewProperties()
	weekly.Set("weekly", &jsonschema.Schema{Type: "object"})
	root.Definitions["Silence"].AnyOf = []*jsonschema.Schema{
		{Required: []string{"until"}}, {Required: []string{"weekly"}, Properties: weekly},
	}
}

// allowRoleARN allows a role to be only its ARN.
func allowRoleARN(root *jsonschema.Schema) {
	root.Definitions["Role"] = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{text(roleARN()), root.Definitions["Role"]}}
}

// property returns a property of a type.
func property(of *jsonschema.Schema, key string) *jsonschema.Schema {
	s, _ := of.Properties.Get(key)
	return s
}
