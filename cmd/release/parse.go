package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// parse reads a template into plain maps and lists: short forms (!Ref) become long ones ({"Ref": …}), aliases the values they stand for.
func parse(text []byte) (map[string]any, error) {
	return reader{anchors: map[string]any{}}.template(text)
}

type reader struct{ anchors map[string]any }

func (r reader) template(text []byte) (map[string]any, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, err
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, errors.New("it is empty, or more than one document")
	}
	value, err := r.value(file.Docs[0].Body)
	if err != nil {
		return nil, err
	}
	template, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the document is a %T, want a mapping", value)
	}
	return template, nil
}

func (r reader) value(n ast.Node) (any, error) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return r.mapping(n.Values)
	case *ast.MappingValueNode:
		return r.mapping([]*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		return r.list(n.Values)
	case *ast.TagNode:
		return r.tagged(n)
	case *ast.AnchorNode:
		value, err := r.value(n.Value)
		r.anchors[n.Name.String()] = value
		return value, err
	case *ast.AliasNode:
		value, ok := r.anchors[n.Value.String()]
		if !ok {
			return nil, fmt.Errorf("line %d: no anchor %q", n.GetToken().Position.Line, n.Value)
		}
		return value, nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.NullNode:
		return nil, nil //nolint:nilnil // null is a value
	case ast.ScalarNode:
		return n.GetValue(), nil
	default:
		return nil, fmt.Errorf("line %d: a template has no %s", n.GetToken().Position.Line, n.Type())
	}
}

func (r reader) mapping(values []*ast.MappingValueNode) (any, error) {
	out := map[string]any{}
	for _, pair := range values {
		if pair.Key.IsMergeKey() {
			return nil, fmt.Errorf("line %d: a template has no merge keys", pair.GetToken().Position.Line)
		}
		value, err := r.value(pair.Value)
		if err != nil {
			return nil, err
		}
		out[pair.Key.GetToken().Value] = value
	}
	return out, nil
}

func (r reader) list(values []ast.Node) (any, error) {
	out := []any{}
	for _, node := range values {
		value, err := r.value(node)
		if err != nil {
			return nil, err
		}
		out = append(out, value)
	}
	return out, nil
}

// tagged is the long form of a function call. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
func (r reader) tagged(n *ast.TagNode) (any, error) {
	value, err := r.value(n.Value)
	if err != nil {
		return nil, err
	}
	switch name := strings.TrimPrefix(n.Start.Value, "!"); name {
	case "Ref", "Condition":
		return map[string]any{name: value}, nil
	case "GetAtt":
		text, ok := value.(string)
		if !ok {
			return map[string]any{"Fn::GetAtt": value}, nil
		}
		resource, attribute, _ := strings.Cut(text, ".")
		return map[string]any{"Fn::GetAtt": []any{resource, attribute}}, nil
	default:
		return map[string]any{"Fn::" + name: value}, nil
	}
}
