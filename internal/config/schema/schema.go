// Package schema generates the JSON Schema of certdrift.yaml from the types that the configuration is decoded into, so that
// editors complete and check it as certdrift does. It is separate from package config to keep the generator out of the Lambda
// functions.
package schema

import (
	"strings"

	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"github.com/invopop/jsonschema"

	"certdrift/internal/config"
	"certdrift/internal/target"
)

// Schema returns the JSON Schema (draft 2020-12) of certdrift.yaml, indented.
func Schema() ([]byte, error) {
	reflector := jsonschema.Reflector{
		Anonymous: true, FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true, ExpandedStruct: true,
		Mapper: scalars, LookupComment: description,
	}
	root := reflector.Reflect(&config.File{})
	root.Title = "certdrift.yaml"
	root.Description = "What certdrift checks: endpoints, the certificates they should serve, and the load balancers in front of them."
	refine(root)
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(root); err != nil {
		return nil, fmt.Errorf("encoding the schema: %w", err)
	}
	return out.Bytes(), nil
}

// scalars returns the types that parse themselves from text.
func scalars(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[config.Duration]():
		return positive(text("^"+duration+"$", "10s", "24h", "21d"))
	case reflect.TypeFor[config.Threshold]():
		return positive(text("^("+share+"|"+duration+")$", "25%", "21d"))
	case reflect.TypeFor[config.Time]():
		return text(`^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2}))?$`, "2027-01-01T00:00:00Z", "2027-01-01")
	case reflect.TypeFor[config.Clock]():
		return text(`^([01]?[0-9]|2[0-3]):[0-5][0-9]$`, "02:00")
	case reflect.TypeFor[config.Weekday]():
		return text(weekdays(), "sat")
	case reflect.TypeFor[config.Size]():
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
			{Type: "integer", Minimum: "1"}, positive(text(`^[0-9]+ *(B|kB|KB|MB|GB|KiB|MiB|GiB)?$`, "64KiB")),
		}}
	case reflect.TypeFor[config.Redirects]():
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
			{Type: "integer", Minimum: "0", Maximum: json.Number(strconv.Itoa(target.MaxRedirects))},
			text(fmt.Sprintf("^(0*([0-9]|%d)|%s)$", target.MaxRedirects, anyCase("none")), "none"),
		}}
	case reflect.TypeFor[config.Scalar]():
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
	}
	return nil
}

func text(pattern string, examples ...any) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: pattern, Examples: examples}
}

// description returns a key's doc tag; types have no descriptions.
func description(t reflect.Type, fieldName string) string {
	if fieldName == "" {
		return ""
	}
	field, _ := t.FieldByName(fieldName)
	return strings.ReplaceAll(field.Tag.Get("doc"), "{starttls}", target.StartTLSSchemes(", "))
}
