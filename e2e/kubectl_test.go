package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"certdrift/internal/manifest"
)

// TestKubectlReadsAlike writes Services in thousands of ways, whole files of them, and holds certdrift's reading against that of
// kubectl's own libraries (oracle): what kubectl would apply is declared, port by port, or a problem is named; what kubectl refuses is
// never clean.
func TestKubectlReadsAlike(t *testing.T) {
	enabled(t)
	t.Parallel()
	w := &writer{Rand: rand.New(rand.NewPCG(11, 4))}
	var files [][]byte
	for range 6_000 {
		files = append(files, w.file())
	}
	refused, stricter := 0, map[string]int{}
	for i, read := range oracle(t, files) {
		got := certdriftReads(files[i])
		want, accepted := read.declared()
		accepted = accepted && read.Error == ""
		switch {
		case !accepted:
			if refused++; got.clean {
				t.Errorf("the cluster or kubectl refuses this (%s), and certdrift finds nothing wrong:\n%s", read.Error, files[i])
			}
		case got.clean && !slices.Equal(got.declared, want):
			t.Errorf("kubectl applies %q, certdrift reads %q in:\n%s", want, got.declared, files[i])
		case !got.clean:
			reason := stricterReason.FindString(got.why)
			if stricter[reason]++; reason == "" {
				t.Errorf("kubectl reads this, and certdrift does not (%s):\n%s", got.why, files[i])
			}
		}
	}
	for reason, n := range stricter {
		t.Logf("%d of %d files that kubectl accepts are refused: %q", n, len(files), reason)
	}
	if refused < len(files)/20 || refused > len(files)/2 {
		t.Errorf("kubectl refuses %d of %d files", refused, len(files))
	}
}

// TestKubectlItself holds what kubectl's libraries, and kubectl itself where the machine has it, read of the inputs that differ most between
// tools, and that certdrift reads the same or names a problem.
func TestKubectlItself(t *testing.T) {
	enabled(t)
	t.Parallel()
	const (
		config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
		shop   = "apiVersion: v1\nkind: Service\nmetadata:\n  name: s\n  annotations:\n    " + certificateAnnotation + ": arn:aws:acm:us-west-2:111122223333:certificate/1\nspec: {type: LoadBalancer, ports: [{port: 443}]}\n"
		asJSON = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"j"}}`
	)
	listed := "- " + strings.ReplaceAll(strings.TrimSuffix(shop, "\n"), "\n", "\n  ") + "\n"
	port := func(text string) string { return strings.Replace(shop, "port: 443", "port: "+text, 1) }
	cases := []struct {
		name, file string
		reads      string // the objects that kubectl reads, "error" where it ends with one; behind | where its libraries alone do not see it
		clean      bool   // certdrift reads the same, and names no problem
	}{
		{"two documents", config + "---\n" + shop, "ConfigMap Service", true},
		{"CRLF", strings.ReplaceAll(config+"---\n"+shop, "\n", "\r\n"), "ConfigMap Service", true},
		{"CR", strings.ReplaceAll(config+"---\n"+shop, "\n", "\r"), "ConfigMap", false},
		{"a mark at the start", "\ufeff" + shop, "Service", true},
		{"a mark behind ---", config + "---\n\ufeff" + shop, "ConfigMap Service", true},
		{"a mark before ---", config + "\ufeff---\n" + shop, "error", false},
		{"glued", config + shop, "Service", false},
		{"glued, the Service first", shop + config, "ConfigMap", false},
		{"a key twice", strings.Replace(shop, "kind: Service", "kind: ConfigMap\nkind: Service", 1), "Service", false},
		{"a document's end", config + "...\n" + shop, "ConfigMap", false},
		{"a document's end and ---", config + "...\n---\n" + shop, "ConfigMap Service", true},
		{"text behind ---", config + "--- {a: b}\n", "error", false},
		{"a comment behind ---", config + "--- # b\n" + shop, "ConfigMap Service", true},
		{"a comment glued to ---", config + "---# b\n" + shop, "ConfigMap Service", true},
		{"a List", "apiVersion: v1\nkind: List\nitems:\n" + listed, "Service", true},
		{"a list whose items say nothing", "apiVersion: v1\nkind: ServiceList\nitems:\n" + strings.Replace(listed, "- apiVersion: v1\n  kind: Service\n  metadata", "- metadata", 1), "Service", true},
		{"an array", "[" + asJSON + "]", "error", false},
		{"a sequence", listed, "error", false},
		{"JSON behind JSON", asJSON + asJSON, "ConfigMap ConfigMap", true},
		{"a word", "hello\n", "error", false},
		{"no kind", "apiVersion: v1\nmetadata: {name: c}\n", "error", false},
		{"comments", "# nothing\n---\n" + shop, "Service", true},
		{"a hexadecimal port", port("0x1bb"), "Service", true},
		{"an octal port", port("0673"), "Service", true},
		{"a fraction for a port", port("443.0"), "Service", true},
		{"a port in quotes", port(`"443"`), "Service", false}, // the cluster refuses it
		{"an annotation that is true", strings.Replace(shop, "  annotations:\n", "  annotations:\n    a: yes\n", 1), "Service | error", false},
		{"a label that is a number", strings.Replace(shop, "  name: s\n", "  name: s\n  labels: {a: 1.0}\n", 1), "Service | error", false},
		{"a sentence behind a document", shop + "NOTES:\n1. Get the URL\n", "error", false},
		{"a list whose items are none", "apiVersion: v1\nkind: List\nitems: {a: b}\n", "error", false},
	}
	files := make([][]byte, len(cases))
	for i, c := range cases {
		files[i] = []byte(c.file)
	}
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Log("kubectl is not on this machine: its libraries alone are asked")
	}
	for i, read := range oracle(t, files) {
		c := cases[i]
		kinds := make([]string, 0, len(read.Objects)+1)
		for _, o := range read.Objects {
			kinds = append(kinds, o.Kind)
		}
		if read.Error != "" {
			kinds = append(kinds, "error")
		}
		ofLibraries, ofKubectl, differ := strings.Cut(c.reads, " | ")
		if !differ {
			ofKubectl = ofLibraries
		}
		if got := strings.Join(kinds, " "); got != ofLibraries {
			t.Errorf("%s: kubectl's libraries read %q (%s), want %q", c.name, got, read.Error, ofLibraries)
		}
		if got := certdriftReads(files[i]); got.clean != c.clean {
			t.Errorf("%s: certdrift reads %q (%s), clean: %v", c.name, got.declared, got.why, got.clean)
		}
		if err != nil {
			continue
		}
		path := filepath.Join(t.TempDir(), "m.yaml")
		check(t, os.WriteFile(path, files[i], 0o600))
		out, failed := exec.CommandContext(t.Context(), kubectl, "annotate", "--local", "--overwrite", "-f", path, "x=y", "-o", `jsonpath={.kind} `).Output()
		got := strings.TrimSpace(string(out))
		if failed != nil {
			got = strings.TrimSpace(got + " error")
		}
		if got != ofKubectl {
			t.Errorf("%s: kubectl reads %q, want %q", c.name, got, ofKubectl)
		}
	}
}

// stricterReason are the reasons for which certdrift refuses what kubectl reads, all of them on purpose: kubectl then applies something
// else than is written, or applies a part only.
var stricterReason = regexp.MustCompile("duplicate key|text right after ---|has text after ---|a line with \\.\\.\\. only|a carriage return alone|a byte order mark comes before|the file is not UTF-8|" +
	"value is not allowed in this context|does not read objects of kind")

// reading is what kubectl would do with a file.
type reading struct {
	Objects []struct {
		APIVersion, Kind string
		Metadata         struct {
			Name, Namespace string
			Annotations     map[string]any
		}
		Spec struct {
			Type             any
			Ports            []struct{ Port any }
			IngressClassName string
			CertificateArn   []string
		}
	}
	Error string
}

// oracle has kubectl's libraries read files.
func oracle(t *testing.T, files [][]byte) []reading {
	t.Helper()
	input, err := json.Marshal(files)
	check(t, err)
	cmd := exec.CommandContext(t.Context(), moduleOfItsOwn(t, "oracle"))
	cmd.Stdin = bytes.NewReader(input)
	out, err := cmd.Output()
	check(t, err)
	var all []reading
	check(t, json.Unmarshal(out, &all))
	if len(all) != len(files) {
		t.Fatalf("%d readings of %d files", len(all), len(files))
	}
	return all
}

// moduleOfItsOwn builds the command of e2e/NAME, which certdrift does not depend on.
func moduleOfItsOwn(t *testing.T, name string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), name)
	_, err := run(t.Context(), nil, "go", "build", "-C", filepath.Join("e2e", name), "-o", bin, ".")
	check(t, err)
	return bin
}

const certificateAnnotation = "service.beta.kubernetes.io/aws-load-balancer-ssl-cert"

// declared are the ports of the file's Services, and of the Ingresses whose class is of the same name as its parameters, with their
// certificates; ok is false where the cluster, which kubectl's libraries do not ask, refuses an object.
func (r reading) declared() (out []string, ok bool) {
	classes := map[string][]string{}
	for _, o := range r.Objects {
		if o.Kind == "IngressClassParams" {
			classes[o.Metadata.Name] = o.Spec.CertificateArn
		}
	}
	ok = true
	for _, o := range r.Objects {
		object := o.Kind + " " + o.Metadata.Namespace + "/" + o.Metadata.Name
		for _, arn := range classes[o.Spec.IngressClassName] {
			out = append(out, object+":443 "+arn)
		}
		certificate, _ := o.Metadata.Annotations[certificateAnnotation].(string)
		if o.APIVersion != "v1" || o.Kind != "Service" || o.Spec.Type != "LoadBalancer" || certificate == "" {
			continue
		}
		for _, p := range o.Spec.Ports {
			_, number := p.Port.(float64)
			ok = ok && number
			out = append(out, fmt.Sprintf("%s:%v %s", object, p.Port, certificate))
		}
	}
	slices.Sort(out)
	return out, ok
}

type certdriftReading struct {
	declared []string
	clean    bool // nothing is wrong, and nothing undecided
	why      string
}

func certdriftReads(file []byte) certdriftReading {
	loaded := manifest.Load([]string{"-"}, manifest.Options{Stdin: bytes.NewReader(file)})
	out := certdriftReading{clean: len(loaded.Diagnostics)+len(loaded.PassedOver)+len(loaded.ObserveErrors) == 0}
	for _, d := range loaded.Declared {
		for _, arn := range d.ARNs {
			out.declared = append(out.declared, fmt.Sprintf("%s:%d %s", d.Object, d.Port, arn))
		}
		out.clean = out.clean && d.UndecidedBecause == ""
	}
	slices.Sort(out.declared)
	for _, d := range loaded.Diagnostics {
		out.why += d.Message + "; "
	}
	for _, o := range loaded.PassedOver {
		out.why += o.Why + "; "
	}
	return out
}

// writer writes objects in the ways that people and tools do.
type writer struct {
	*rand.Rand
	count int
}

func (w *writer) one(of ...string) string { return of[w.IntN(len(of))] }

// rarely is true one time in n.
func (w *writer) rarely(n int) bool { return w.IntN(n) == 0 }

// file is some documents with what stands between them, in one encoding.
func (w *writer) file() []byte {
	var b strings.Builder
	if w.rarely(6) {
		b.WriteString(w.one("---\n", "# a comment\n", "%YAML 1.1\n---\n", "%YAML 1.2\n---\n", "\n\n", "--- # first\n", "# Source: a.yaml\n---\n"))
	}
	before := ""
	for i := range 1 + w.IntN(3) {
		document := w.document()
		if w.rarely(8) {
			document = w.class()
		}
		if i > 0 {
			b.WriteString(w.separator(before))
		}
		b.WriteString(document)
		before = document
	}
	if w.rarely(8) {
		b.WriteString(w.one("---\n", "\n\n", "# the end", "--- "))
	}
	return w.encode(b.String())
}

// separator is what stands between two documents. Behind JSON, releases of kubectl differ in all but the plain ones.
func (w *writer) separator(before string) string {
	switch {
	case !w.rarely(4):
		return "---\n"
	case strings.HasPrefix(before, "{") || strings.HasPrefix(before, "["):
		return w.one("---\n", "--- # next\n", "---\n---\n", "---\n# nothing\n---\n")
	}
	return w.one("", "\n", "--- # next\n", "---\t\n", "--- \n", "...\n---\n", "\ufeff---\n", "---\n\ufeff", "---", " ---\n", "----\n", "---\n---\n", "---\n# nothing\n---\n", "---\nnull\n---\n", "...\n", "--- |\n")
}

func (w *writer) encode(text string) []byte {
	switch w.IntN(16) {
	case 0, 1:
		text = strings.ReplaceAll(text, "\n", "\r\n")
	case 2:
		text = "\ufeff" + text
	case 3:
		text = "\ufeff" + strings.ReplaceAll(text, "\n", "\r\n")
	case 4:
		if w.rarely(4) {
			text = strings.ReplaceAll(text, "\n", "\r")
		}
	case 5:
		if w.rarely(4) { // as PowerShell's > writes
			var b bytes.Buffer
			for _, u := range utf16.Encode([]rune("\ufeff" + text)) {
				b.Write([]byte{byte(u), byte(u >> 8)})
			}
			return b.Bytes()
		}
	}
	return []byte(text)
}

// pairs is a mapping in its order.
type pairs []pair

type pair struct {
	key   string
	value any
}

func (w *writer) object() pairs {
	w.count++
	name := "n" + strconv.Itoa(w.count)
	if w.rarely(4) {
		return pairs{{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", pairs{{"name", name}}}, {"data", pairs{{"a", "b: c"}, {"d", "# e\n---\nf"}}}}
	}
	annotations := pairs{{certificateAnnotation, fmt.Sprintf("arn:aws:acm:us-west-2:111122223333:certificate/%d", w.count)}}
	if w.rarely(3) {
		annotations = append(annotations, pair{"team", w.one("web", "a: b", "#1", "no", "- x", "it's")})
	}
	ports := []any{pairs{{"port", 443}}}
	if w.rarely(3) {
		ports = append(ports, pairs{{"name", "more"}, {"port", 8443}})
	}
	o := pairs{{"apiVersion", "v1"}, {"kind", "Service"}, {"metadata", pairs{{"name", name}, {"namespace", "store"}, {"annotations", annotations}}},
		{"spec", pairs{{"type", "LoadBalancer"}, {"ports", ports}}}}
	if w.rarely(3) {
		w.Shuffle(len(o), func(i, j int) { o[i], o[j] = o[j], o[i] })
	}
	return o
}

func (w *writer) document() string {
	var o any = w.object()
	switch {
	case w.rarely(10):
		kind := w.one("List", "ServiceList", "BundleList", "Bundle")
		o = pairs{{"apiVersion", "v1"}, {"kind", kind}, {"items", []any{o, w.object()}}}
	case w.rarely(40):
		o = []any{o}
	case w.rarely(20): // a key that is given twice
		p := o.(pairs)
		o = append(slices.Clone(p), p[w.IntN(len(p))])
	}
	return w.write(o)
}

func (w *writer) write(o any) string {
	switch w.IntN(6) {
	case 0:
		return w.json(o, "", w.one("", "  ", "\t")) + "\n"
	case 1:
		return w.flow(o) + "\n"
	}
	return w.block(o, 0)
}

// class is an Ingress whose certificates its class names.
func (w *writer) class() string {
	w.count++
	name, certificates := "c"+strconv.Itoa(w.count), []any{}
	for i := range 1 + w.IntN(2) {
		certificates = append(certificates, fmt.Sprintf("arn:aws:acm:us-west-2:111122223333:certificate/%d-%d", w.count, i))
	}
	var b strings.Builder
	for i, o := range []pairs{
		{{"apiVersion", "elbv2.k8s.aws/v1beta1"}, {"kind", "IngressClassParams"}, {"metadata", pairs{{"name", name}}}, {"spec", pairs{{"certificateArn", certificates}}}},
		{{"apiVersion", "networking.k8s.io/v1"}, {"kind", "IngressClass"}, {"metadata", pairs{{"name", name}}},
			{"spec", pairs{{"controller", "ingress.k8s.aws/alb"}, {"parameters", pairs{{"apiGroup", "elbv2.k8s.aws"}, {"kind", "IngressClassParams"}, {"name", name}}}}}},
		{{"apiVersion", "networking.k8s.io/v1"}, {"kind", "Ingress"}, {"metadata", pairs{{"name", name}, {"namespace", "store"}}}, {"spec", pairs{{"ingressClassName", name}}}},
	} {
		if i > 0 {
			b.WriteString("---\n")
		}
		b.WriteString(w.write(o))
	}
	return b.String()
}

func (w *writer) json(v any, indent, step string) string {
	inner, line, space := indent+step, "\n", ""
	if step == "" {
		line = w.one("", " ", "\n")
	} else {
		space = " "
	}
	var parts []string
	opening, closing := "{", "}"
	switch v := v.(type) {
	case pairs:
		for _, p := range v {
			parts = append(parts, strconv.Quote(p.key)+":"+space+w.json(p.value, inner, step))
		}
	case []any:
		opening, closing = "[", "]"
		for _, item := range v {
			parts = append(parts, w.json(item, inner, step))
		}
	case string:
		return strconv.Quote(v)
	default:
		return w.number(v, true)
	}
	return opening + line + inner + strings.Join(parts, ","+line+inner) + line + indent + closing
}

func (w *writer) number(v any, plain bool) string {
	n := v.(int)
	if plain || !w.rarely(8) {
		return strconv.Itoa(n)
	}
	return w.one(fmt.Sprintf("0x%x", n), fmt.Sprintf("0%o", n), fmt.Sprintf("0o%o", n), fmt.Sprintf("0b%b", n), fmt.Sprintf("+%d", n), fmt.Sprintf("%d.0", n),
		strconv.Itoa(n/100)+"_"+strconv.Itoa(n)[len(strconv.Itoa(n))-2:], strconv.Quote(strconv.Itoa(n)), fmt.Sprintf("!!int %d", n), fmt.Sprintf("%d # p", n))
}

// plain reports whether a text may be written without quotes.
func plainScalar(s string, inFlow bool) bool {
	if s == "" || strings.ContainsAny(s, "\n") || strings.Contains(s, ": ") || strings.Contains(s, " #") || strings.ContainsAny(s[:1], "-#'\"") || s == "no" {
		return false
	}
	return !inFlow || !strings.ContainsAny(s, ",[]{}")
}

func (w *writer) text(s string, inFlow bool) string {
	switch w.IntN(8) {
	case 0:
		return strconv.Quote(s)
	case 1:
		if !strings.Contains(s, "\n") {
			return "'" + strings.ReplaceAll(s, "'", "''") + "'"
		}
	case 2:
		return "!!str " + strconv.Quote(s)
	case 3:
		// In a list or mapping in brackets, the parser refuses an anchor in front of text with colons.
		if plainScalar(s, inFlow) && !inFlow && w.rarely(3) {
			return "&a" + strconv.Itoa(w.IntN(1e6)) + " " + s
		}
	}
	if plainScalar(s, inFlow) {
		return s
	}
	return strconv.Quote(s)
}

func (w *writer) flow(v any) string {
	space := w.one("", " ", " ", "\n  ")
	var parts []string
	switch v := v.(type) {
	case pairs:
		for _, p := range v {
			parts = append(parts, w.text(p.key, true)+": "+w.flow(p.value))
		}
		return "{" + space + strings.Join(parts, ","+w.one(" ", " ", "\n  ")) + w.one("", "", ",") + space + "}"
	case []any:
		for _, item := range v {
			parts = append(parts, w.flow(item))
		}
		return "[" + space + strings.Join(parts, ", ") + space + "]"
	case string:
		return w.text(v, true)
	}
	s := w.number(v, false)
	if strings.Contains(s, "#") {
		s += "\n  "
	}
	return s
}

func (w *writer) block(v any, depth int) string {
	indent := strings.Repeat("  ", depth)
	var b strings.Builder
	switch v := v.(type) {
	case pairs:
		for _, p := range v {
			if w.rarely(15) {
				b.WriteString(indent + "# a comment\n")
			}
			fmt.Fprintf(&b, "%s%s:%s", indent, w.key(p.key), w.value(p.value, depth))
		}
	case []any:
		for _, item := range v {
			if s, ok := item.(string); ok {
				fmt.Fprintf(&b, "%s- %s\n", indent, w.text(s, false))
				continue
			}
			text := w.block(item, depth+1)
			text = strings.TrimLeft(text, " ")
			if strings.HasPrefix(text, "#") {
				text = "\n" + strings.Repeat("  ", depth+1) + text
			}
			fmt.Fprintf(&b, "%s- %s", indent, text)
		}
	}
	return b.String()
}

func (w *writer) key(s string) string {
	switch w.IntN(12) {
	case 0:
		return strconv.Quote(s)
	case 1:
		return "'" + s + "'"
	}
	return s
}

func (w *writer) value(v any, depth int) string {
	inner := strings.Repeat("  ", depth+1)
	switch v := v.(type) {
	case string:
		switch {
		case w.rarely(14):
			return w.one(" |-\n", " >-\n", " |2-\n")[:0] + " |-\n" + inner + strings.ReplaceAll(v, "\n", "\n"+inner) + "\n"
		case w.rarely(14) && !strings.Contains(v, "\n"):
			return " >-\n" + inner + v + "\n"
		case w.rarely(14) && plainScalar(v, false):
			return "\n" + inner + v + "\n"
		}
		return " " + w.text(v, false) + w.one("", "", "", "", " # why", " ") + "\n"
	case int:
		return " " + w.number(v, false) + "\n"
	}
	if w.rarely(4) {
		return " " + w.flow(v) + "\n"
	}
	if list, ok := v.([]any); ok && w.rarely(2) { // a list may stand at the indentation of its key
		return "\n" + w.block(list, depth)
	}
	return w.one("\n", "\n", " # below\n", " &x"+strconv.Itoa(w.IntN(1e6))+"\n") + w.block(v, depth+1)
}
