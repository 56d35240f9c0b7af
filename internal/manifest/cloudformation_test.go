package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// described is all that was read, a paragraph each.
func described(read Loaded) string {
	var b strings.Builder
	for _, d := range read.Declared {
		fmt.Fprintf(&b, "%d:%d %s", d.Source.Line, d.Source.Column, d.Object)
		for _, part := range []struct {
			name string
			is   bool
		}{{"removes listeners", d.RemovesListeners}, {"creates", d.Creates}, {"keeps others", d.KeepsOthers}, {"restates", d.Restates}, {"discovered", d.Discovered}} {
			if part.is {
				b.WriteString(", " + part.name)
			}
		}
		b.WriteString("\n")
		for _, part := range []struct{ name, value string }{
			{"load balancer", d.LoadBalancer}, {"kind", string(d.Kind)}, {"port", strings.TrimSuffix(fmt.Sprint(d.Port), "\x00")}, {"listener", d.Listener}, {"existing", d.ListenerARN},
			{"policy", d.Policy}, {"arns", strings.Join(d.ARNs, "\n\t      ")}, {"pending", strings.Join(d.Pending, "\n\t         ")}, {"detaches", strings.Join(d.Detaches, " ")},
			{"undecided", d.UndecidedBecause}, {"tool", string(d.Tool)},
		} {
			if part.value != "" && part.value != "0" {
				fmt.Fprintf(&b, "\t%s: %s\n", part.name, part.value)
			}
		}
	}
	for _, o := range read.PassedOver {
		fmt.Fprintf(&b, "passed over %d:%d %s\n\t%s\n", o.Line, o.Column, o.Object, o.Why)
	}
	for _, f := range read.Diagnostics {
		fmt.Fprintf(&b, "rejected %d:%d %s\n\t%s\n", f.Line, f.Column, f.Message, f.Hint)
	}
	return b.String()
}

// stackCases are the inputs in testdata/cloudformation.
func stackCases(t testing.TB) []string {
	t.Helper()
	all, err := filepath.Glob("testdata/cloudformation/*")
	if err != nil || len(all) == 0 {
		t.Fatal("no cases")
	}
	return slices.DeleteFunc(all, func(name string) bool { return strings.HasSuffix(name, ".golden") })
}

// TestCloudFormation reads templates as people, SAM and the CDK write them, and change sets as the AWS CLI prints them.
func TestCloudFormation(t *testing.T) {
	for _, name := range stackCases(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			got := described(Load([]string{name}, Options{Plain: true}))
			compare(t, name+".golden", got)
		})
	}
}

// FuzzCloudFormation: whatever a template or a change set says, all that was read has a place in the file, a reason where it is undecided,
// and nothing is declared of which nothing is known; reading twice gives the same.
func FuzzCloudFormation(f *testing.F) {
	for _, name := range stackCases(f) {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Fuzz(func(t *testing.T, data string) {
		read := Load([]string{"-"}, Options{Plain: true, Stdin: strings.NewReader(data)})
		lines := strings.Count(data, "\n") + strings.Count(data, "\r") + 1
		for _, d := range read.Declared {
			if d.Source.Line < 1 || d.Source.Line > lines || d.Source.Column < 1 {
				t.Fatalf("a declaration outside the file: %+v", d)
			}
			if ofStack := d.Tool != ""; ofStack && len(d.ARNs)+len(d.Pending)+len(d.Detaches) == 0 && !d.Discovered && !d.RemovesListeners && (d.Port == 0 || d.LoadBalancer == "") {
				t.Fatalf("a declaration of nothing: %+v", d)
			}
			if d.Restates && len(d.ARNs) == 0 {
				t.Fatalf("it states nothing: %+v", d)
			}
		}
		for _, o := range read.PassedOver {
			if o.Line < 1 || o.Line > lines || o.Column < 1 || o.Object == "" || o.Why == "" {
				t.Fatalf("it does not say what was passed over, where and why: %+v", o)
			}
		}
		again := Load([]string{"-"}, Options{Plain: true, Stdin: strings.NewReader(data)})
		if diff := cmp.Diff(described(read), described(again)); diff != "" {
			t.Fatalf("reading twice differs:\n%s", diff)
		}
	})
}
