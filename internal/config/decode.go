package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"certdrift/internal/finding"
	"certdrift/internal/target"
	"certdrift/internal/yamldoc"
)

const (
	maxNested = 32   // deeper than any key of File
	maxItems  = 1000 // of a mapping, and of any list but that of the endpoints
)

// decoder fills a File from YAML nodes. It continues after an error and records the position of everything it fills, for later
// checks. (goccy's own decoder stops at the first error.)
type decoder struct {
	reporter
	// positions are by pointer to what was filled; a value without one was not in the file or could not be read.
	positions map[any]target.Position
	// rejected are by pointer to what could not be read and has been reported.
	rejected map[any]bool
	doc      *yamldoc.Resolver
	depth    int
	spent    bool
	// within is the endpoint that is being filled, if any.
	within *Endpoint
}

// keyOf is the key in positions for a key of a map; holder points to the map.
type keyOf struct {
	holder any
	key    string
}

func newDecoder(file string) *decoder {
	return &decoder{reporter: reporter{file: file}, positions: map[any]target.Position{}, rejected: map[any]bool{}}
}

func (d *decoder) position(n ast.Node) target.Position {
	line, column := yamldoc.Position(n)
	return target.Position{File: d.file, Line: line, Column: column}
}

func (d *decoder) errorAt(n ast.Node, message, hint string) {
	d.report(d.position(n), d.within, message, hint)
}

// reject reports a value that v cannot hold.
func (d *decoder) reject(v any, n ast.Node, message, hint string) {
	d.markRejected(v)
	d.errorAt(n, message, hint)
}

// markRejected records that v was reported.
func (d *decoder) markRejected(v any) {
	delete(d.positions, v)
	d.rejected[v] = true
}

// decode fills v, which must be addressable, from n. what is the key's name in messages.
func (d *decoder) decode(what string, n ast.Node, v reflect.Value) {
	d.depth++
	defer func() { d.depth-- }()
	if !d.spend(n, 1) {
		return
	}
	n = d.doc.Value(n)
	if n == nil {
		d.markRejected(v.Addr().Interface())
		return
	}
	at := d.position(n)
	d.positions[v.Addr().Interface()] = at
	if endpoint, ok := v.Addr().Interface().(*Endpoint); ok {
		d.within = endpoint
		defer func() { d.within = nil }()
	}
	if s, ok := v.Addr().Interface().(scalar); ok {
		d.scalar(what, n, s)
		return
	}
	if role, ok := v.Addr().Interface().(*Role); ok {
		if text, plain := n.(*ast.StringNode); plain {
			role.ARN = text.Value
			d.positions[&role.ARN] = at
			return
		}
	}
	d.byKind(what, n, v)
}

// spend counts visits and reports whether the file is within the limits. The first time it is not, it reports an error.
func (d *decoder) spend(n ast.Node, visits int) bool {
	if d.doc.Spend(visits) && d.depth <= maxNested {
		return true
	}
	if !d.spent {
		d.spent = true
		d.report(d.position(n), nil, yamldoc.TooLarge, yamldoc.TooLargeHint)
	}
	return false
}

func (d *decoder) byKind(what string, n ast.Node, v reflect.Value) {
	if _, null := n.(*ast.NullNode); null {
		delete(d.positions, v.Addr().Interface()) // "key:" without a value counts as no key…
		switch v.Kind() {
		case reflect.String, reflect.Int, reflect.Bool: // …but a missing scalar is a mistake
			d.errorAt(n, what+" is empty", "give it a value, or remove the key")
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(what, n, v.Elem())
	case reflect.Struct:
		d.mapping(what, n, v)
	case reflect.Map:
		d.table(what, n, v)
	case reflect.Slice:
		d.list(what, n, v)
	case reflect.String:
		d.text(what, n, v)
	case reflect.Int:
		d.integer(what, n, v)
	case reflect.Bool:
		if b, ok := n.(*ast.BoolNode); ok {
			v.SetBool(b.Value)
		} else {
			d.reject(v.Addr().Interface(), n, what+" must be true or false, not "+yamldoc.Kind(n), "write true or false, without quotes")
		}
	}
}

func (d *decoder) scalar(what string, n ast.Node, s scalar) {
	text, ok := yamldoc.Text(n)
	if !ok {
		d.reject(s, n, fmt.Sprintf("%s cannot be %s", what, yamldoc.Kind(n)), s.hint())
		return
	}
	if err := s.parse(text); err != nil {
		d.reject(s, n, fmt.Sprintf("%s: %s %s", what, finding.Quote(text), err), s.hint())
	}
}

func (d *decoder) text(what string, n ast.Node, v reflect.Value) {
	switch n.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		text, _ := yamldoc.Text(n)
		if text == "" {
			d.reject(v.Addr().Interface(), n, what+" is empty", "give it a value, or remove the key")
		}
		v.SetString(text)
		return
	}
	hint := "write a single text value"
	if _, ok := yamldoc.Text(n); ok {
		hint = "put it in quotes"
	}
	d.reject(v.Addr().Interface(), n, fmt.Sprintf("%s must be text, not %s", what, yamldoc.Kind(n)), hint)
}

func (d *decoder) integer(what string, n ast.Node, v reflect.Value) {
	if i, ok := n.(*ast.IntegerNode); ok {
		if number, err := strconv.Atoi(i.Token.Value); err == nil {
			v.SetInt(int64(number))
			return
		}
	}
	d.reject(v.Addr().Interface(), n, fmt.Sprintf("%s must be a whole number, not %s", what, yamldoc.Kind(n)), "write digits, without quotes")
}

func (d *decoder) list(what string, n ast.Node, v reflect.Value) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		d.reject(v.Addr().Interface(), n, fmt.Sprintf("%s must be a list, not %s", what, yamldoc.Kind(n)), "write each item on its own line after a dash, or all items in [ ]")
		return
	}
	if !d.spend(n, len(seq.Values)) {
		return
	}
	if len(seq.Values) > maxItems && v.Type().Elem() != reflect.TypeFor[Endpoint]() {
		d.reject(v.Addr().Interface(), n, fmt.Sprintf("%s has more than %d items", what, maxItems), "remove those that are not needed")
		return
	}
	// The slice has its final length before it is filled, since positions holds pointers to the elements.
	v.Set(reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values)))
	for i, item := range seq.Values {
		d.item(what, item, v.Index(i))
	}
}

// item decodes one element of a list. An empty element is an error, unlike an empty key.
func (d *decoder) item(what string, n ast.Node, v reflect.Value) {
	if _, null := n.(*ast.NullNode); null && v.Kind() == reflect.Struct {
		endpoint, _ := v.Addr().Interface().(*Endpoint)
		d.report(d.position(n), endpoint, "an item of "+what+" is empty", "fill it in, or remove the dash")
		return
	}
	d.decode("an item of "+what, n, v)
}

func (d *decoder) table(what string, n ast.Node, v reflect.Value) {
	entries, ok := d.entries(what, n)
	if !ok {
		d.markRejected(v.Addr().Interface())
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(entries)))
	for _, e := range entries {
		d.positions[keyOf{v.Addr().Interface(), e.Key}] = d.position(e.Node.Key)
		value := reflect.New(v.Type().Elem()).Elem()
		if value.Kind() == reflect.Pointer {
			value.Set(reflect.New(value.Type().Elem()))
			d.decode(e.Key, e.Node.Value, value.Elem())
		} else {
			d.decode(e.Key, e.Node.Value, value)
		}
		v.SetMapIndex(reflect.ValueOf(e.Key), value)
	}
}

func (d *decoder) mapping(what string, n ast.Node, v reflect.Value) {
	entries, ok := d.entries(what, n)
	if !ok {
		d.markRejected(v.Addr().Interface())
		return
	}
	fields := fieldsOf(v.Type())
	for _, e := range entries {
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == e.Key })
		if i < 0 {
			d.errorAt(e.Node.Key, "unknown key "+finding.Quote(e.Key), suggest(e.Key, keys(fields)))
			continue
		}
		d.decode(e.Key, e.Node.Value, v.Field(fields[i].index))
	}
	for _, f := range fields {
		if f.required {
			d.require(n, entries, f, v.Field(f.index))
		}
	}
}

// require reports a required key that is missing or empty: a silence with an empty match would silence everything. Empty
// scalars are reported already.
func (d *decoder) require(n ast.Node, entries []yamldoc.Entry, f field, v reflect.Value) {
	i := slices.IndexFunc(entries, func(e yamldoc.Entry) bool { return e.Key == f.key })
	if i < 0 {
		d.errorAt(n, fmt.Sprintf("%s is missing", f.key), f.advice())
		return
	}
	at := v.Addr().Interface()
	_, given := d.positions[at]
	if (v.Kind() == reflect.Struct || v.Kind() == reflect.Slice) && !given && !d.rejected[at] && !d.spent {
		d.reject(at, entries[i].Node.Value, f.key+" is empty", f.advice())
	}
}

// field is one key of a struct of File.
type field struct {
	key, example, doc string
	index             int
	required          bool
}

func fieldsOf(t reflect.Type) []field {
	fields := make([]field, t.NumField())
	for i := range fields {
		tag := t.Field(i).Tag
		f := field{key: tag.Get("yaml"), doc: tag.Get("doc"), index: i}
		for part := range strings.SplitSeq(tag.Get("jsonschema"), ",") {
			if part == "required" {
				f.required = true
			}
			if example, ok := strings.CutPrefix(part, "example="); ok {
				f.example = example
			}
		}
		fields[i] = f
	}
	return fields
}

func (f field) advice() string {
	if f.example != "" {
		return fmt.Sprintf("add it, for example %s: %s", f.key, f.example)
	}
	return "add " + f.key + ": " + f.doc
}

func keys(fields []field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.key
	}
	return names
}
