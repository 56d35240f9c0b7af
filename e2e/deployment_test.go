package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"certdrift/internal/sim/pki"
)

// renderer is a tool of docs/deployment-test.md. Its body is a shell script: the tool itself where the machine has it, else what
// prints what the tool prints; apply is the beginning of the command line that applies, which is only recorded.
type renderer struct {
	command, body, apply string
	// undecided: certdrift does not read the format, or it does not decide without AWS, so that whatever is in it has exit status 3.
	undecided bool
}

// renderers are the tools by the headings of the document. fixture is testdata/deployment with this run's values.
func renderers() map[string]renderer {
	const rendered, terraform = `cat "$FIXTURE/rendered.yaml"`, `case "$1" in plan) : >tfplan;; show) cat "$FIXTURE/plan.json";; esac`
	kustomize := rendered // recorded from kustomize 5.8.1
	if path, err := exec.LookPath("kustomize"); err == nil {
		kustomize = path + ` "$@"`
	} else if path, err := exec.LookPath("kubectl"); err == nil { // which has it built in
		kustomize = path + ` kustomize "$2"`
	}
	helm := `cat "$FIXTURE/rendered-by-helm.yaml"` // recorded from helm 3.22.0
	if path, err := exec.LookPath("helm"); err == nil {
		helm = path + ` "$@"`
	}
	return map[string]renderer{
		"kubectl":        {command: "kubectl", apply: "apply "},
		"Helm":           {command: "helm", body: helm, apply: "upgrade "},
		"Kustomize":      {command: "kustomize", body: kustomize},
		"Terraform":      {command: "terraform", body: terraform, apply: "apply "}, // without the AWS provider; the real tool is in TestTerraformItself
		"OpenTofu":       {command: "tofu", body: terraform, apply: "apply "},
		"CloudFormation": {command: "aws", body: `case "$2" in describe-change-set) cat "$FIXTURE/changes.json";; esac`, apply: "cloudformation execute-change-set "},
		"AWS CDK":        {command: "cdk", body: `mkdir -p cdk.out && cp "$FIXTURE/Shop.template.json" cdk.out/`, apply: "deploy ", undecided: true}, // recorded from aws-cdk 2.1148.1
		"Pulumi":         {command: "pulumi", body: `cat "$FIXTURE/preview.json"`, apply: "up "},
		"Argo CD":        {command: "argocd", body: rendered, apply: "app sync "},
		"Flux":           {command: "flux", body: rendered, apply: "reconcile "},
	}
}

// outcomes are the inputs that every tool renders, with plan's exit status: the right certificate, a wrong one, and an object of which
// no endpoint is known.
var outcomes = []struct {
	certificate, name string
	status            int
}{{"right", "shop", 0}, {"wrong", "shop", 1}, {"right", "elsewhere", 3}}

// clusters are the tools of the document's section on the cluster's own objects: what `kubectl kustomize` renders, and what kubectl get prints
// of a cluster, which has an older version of what is rendered.
func clusters() map[string]renderer {
	kubectl := func(rendered, cluster string) renderer {
		return renderer{command: "kubectl", body: `case "$*" in "kustomize overlays/production") cat "$FIXTURE/cluster/` + rendered + `.yaml";; "get "*" -A -o yaml") cat "$FIXTURE/cluster/` + cluster + `.yaml";; *) exit 9;; esac`}
	}
	return map[string]renderer{
		"Ingresses":                    kubectl("rendered-ingress", "ingress"),
		"EKS Auto Mode":                kubectl("rendered-ingress", "auto"),
		"Gateway API":                  kubectl("rendered-gateway", "gateway"),
		"The controller's own dry-run": kubectl("none", "dry-run"),
		"What Pulumi has deployed":     {command: "pulumi", body: `cat "$FIXTURE/cluster/stack.json"`},
	}
}

// TestTheDeploymentTestRuns runs the commands of docs/deployment-test.md: what plan refuses, leaves undecided or cannot read, and what
// the tool does not render, is not applied.
func TestTheDeploymentTestRuns(t *testing.T) {
	enabled(t)
	t.Parallel()
	runsAsWritten(t, snippets(t, byTool, "sh"), renderers())
}

// TestPlansWithTheClustersObjectsRun is the same for the commands that pass them.
func TestPlansWithTheClustersObjectsRun(t *testing.T) {
	enabled(t)
	t.Parallel()
	runsAsWritten(t, snippets(t, "With the cluster's own objects", "sh"), clusters())
}

// runsAsWritten runs the commands under each heading with what is right, wrong and undecided, and with a tool that fails. Only where there is
// something to apply is it applied.
func runsAsWritten(t *testing.T, sections map[string][]string, tools map[string]renderer) {
	t.Helper()
	w := newWorkplace(t)
	for heading, tool := range tools {
		t.Run(heading, func(t *testing.T) {
			if len(sections[heading]) != 1 {
				t.Fatalf("%d blocks of commands, want 1", len(sections[heading]))
			}
			line := sections[heading][0]
			for _, o := range outcomes {
				want := o.status
				if tool.undecided {
					want = 3
				}
				d := w.open(t, o.certificate, o.name, tool)
				if _, said, status := d.paste(t, line); status != want || d.applied() != (want == 0 && applies(line)) {
					t.Errorf("%s certificate for %s: exit status %d, want %d; applied: %v\n%s", o.certificate, o.name, status, want, d.applied(), said)
				}
			}
			if tool.body == "" {
				return
			}
			tool.body = "echo error >&2; exit 9"
			d := w.open(t, "right", "shop", tool)
			if _, said, status := d.paste(t, line); status == 0 || d.applied() {
				t.Errorf("the tool failed: exit status %d, applied: %v\n%s", status, d.applied(), said)
			}
		})
	}
	for heading := range sections {
		if _, known := tools[heading]; !known {
			t.Errorf("nothing runs the commands under %q", heading)
		}
	}
}

// applies reports whether the last command of a line is another than plan.
func applies(line string) bool {
	commands := strings.Split(line, "&&")
	return !strings.Contains(commands[len(commands)-1], "certdrift plan")
}

// TestThePipelinesRun runs the steps of the document's pipelines as their runners do. The first of each fails with every exit status but
// 0; the second is chosen to let pass what is undecided, and lets nothing else pass.
func TestThePipelinesRun(t *testing.T) {
	enabled(t)
	t.Parallel()
	w := newWorkplace(t)
	sections := snippets(t, byTool, "yaml")
	for heading, steps := range map[string]func(*testing.T, string) (script string, allowed []int){"GitHub Actions": githubSteps, "GitLab CI": gitlabScript} {
		if len(sections[heading]) != 2 {
			t.Fatalf("%s has %d pipelines, want 2", heading, len(sections[heading]))
		}
		for i, text := range sections[heading] {
			script, allowed := steps(t, text)
			for _, o := range outcomes {
				d := w.open(t, o.certificate, o.name, renderers()["Kustomize"])
				_, said, status := d.paste(t, script)
				passed := status == 0 || slices.Contains(allowed, status)
				if want := o.status == 0 || i == 1 && o.status == 3; passed != want {
					t.Errorf("%s, pipeline %d, %s certificate for %s: exit status %d\n%s", heading, i+1, o.certificate, o.name, status, said)
				}
			}
			d := w.open(t, "right", "shop", renderer{command: "kustomize", body: "echo error >&2; exit 9"})
			if _, said, status := d.paste(t, script); status == 0 || slices.Contains(allowed, status) {
				t.Errorf("%s, pipeline %d passes though kustomize failed: %d\n%s", heading, i+1, status, said)
			}
		}
	}
}

// githubSteps are the commands of a workflow's job as GitHub runs them: each step by bash -e.
func githubSteps(t *testing.T, text string) (script string, allowed []int) {
	t.Helper()
	var workflow struct {
		Jobs map[string]struct{ Steps []struct{ Run string } }
	}
	check(t, yaml.UnmarshalWithOptions([]byte(text), &workflow))
	lint(t, text)
	for _, step := range workflow.Jobs["plan"].Steps {
		if step.Run != "" {
			script += fmt.Sprintf("bash -e -c '%s' || exit $?\n", strings.ReplaceAll(step.Run, "'", `'\''`))
		}
	}
	return script, nil
}

// gitlabScript is the script of a job as GitLab runs it, with the exit statuses that it allows.
func gitlabScript(t *testing.T, text string) (script string, allowed []int) {
	t.Helper()
	var pipeline map[string]struct {
		Script       []string
		Rules        []map[string]string
		AllowFailure struct {
			ExitCodes []int `yaml:"exit_codes"`
		} `yaml:"allow_failure"`
		Artifacts struct {
			When    string
			Reports map[string]string
		}
	}
	check(t, yaml.UnmarshalWithOptions([]byte(text), &pipeline, yaml.Strict()))
	job := pipeline["certificates"]
	return "set -eo pipefail\n" + strings.Join(job.Script, "\n"), job.AllowFailure.ExitCodes
}

// lint runs actionlint, if make e2e could build it.
func lint(t *testing.T, workflow string) {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, ".cache", "bin", "actionlint"))
	check(t, err)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		t.Log("the workflow was only parsed: actionlint could not be built")
		return
	}
	cmd := exec.CommandContext(t.Context(), path, "-shellcheck=", "-pyflakes=", "-")
	cmd.Stdin = strings.NewReader(workflow)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("actionlint: %v\n%s", err, said)
	}
}

// TestWorkflowsAreLinted lints the workflow that is ready to copy.
func TestWorkflowsAreLinted(t *testing.T) {
	enabled(t)
	text, err := os.ReadFile(filepath.Join(root, "docs", "ci", "github-actions.yml"))
	check(t, err)
	lint(t, string(text))
}

// TestTerraformItself has the real tools plan, where the machine has them: without the AWS provider, which no test downloads, they plan what
// they have built in.
func TestTerraformItself(t *testing.T) {
	enabled(t)
	t.Parallel()
	w := newWorkplace(t)
	for _, heading := range []string{"Terraform", "OpenTofu"} {
		tool := renderers()[heading]
		path, err := exec.LookPath(tool.command)
		if err != nil {
			t.Logf("%s is not on this machine", tool.command)
			continue
		}
		tool.body = "TF_CLI_CONFIG_FILE=/dev/null " + path + ` "$@"`
		line := snippets(t, byTool, "sh")[heading][0]
		for input, want := range map[string]int{"nothing": 0, "service.beta.kubernetes.io/aws-load-balancer-ssl-cert: x": 3} {
			d := w.open(t, "right", "shop", tool)
			check(t, os.WriteFile(filepath.Join(d.dir, "main.tf"), []byte(`resource "terraform_data" "x" { input = "`+input+"\" }\n"), 0o600))
			if _, said, status := d.paste(t, line); status != want || d.applied() != (want == 0) {
				t.Errorf("%s: exit status %d, want %d; applied: %v\n%s", heading, status, want, d.applied(), said)
			}
		}
	}
}

// byTool is the section of docs/deployment-test.md with a line for each tool.
const byTool = "Before, tool by tool"

// snippets are the code blocks of a section of docs/deployment-test.md by their headings.
func snippets(t *testing.T, section, language string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "deployment-test.md"))
	check(t, err)
	_, tools, found := strings.Cut(string(text), "\n## "+section+"\n")
	tools, _, ends := strings.Cut(tools, "\n## ")
	if !found || !ends {
		t.Fatal("the document has no such section any more")
	}
	out := map[string][]string{}
	for _, section := range strings.Split(tools, "\n### ")[1:] {
		heading, body, _ := strings.Cut(section, "\n")
		for _, block := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(body, -1) {
			out[heading] = append(out[heading], block[1])
		}
	}
	return out
}

// workplace has certdrift built from the tree, and the certificates of the configuration.
type workplace struct {
	bin   string
	files map[string]string // PEM, by file name
}

func newWorkplace(t *testing.T) *workplace {
	t.Helper()
	w := &workplace{bin: filepath.Join(t.TempDir(), "certdrift"), files: map[string]string{}}
	_, err := run(t.Context(), nil, "go", "build", "-o", w.bin, "./cmd/certdrift")
	check(t, err)
	ca, err := pki.Root("deployment test", time.Now())
	check(t, err)
	for name, host := range map[string]string{"right": "shop.example.com", "wrong": "www.example.net"} {
		pair, err := ca.Leaf(time.Now(), []string{host})
		check(t, err)
		w.files[name] = string(pair.PEM())
	}
	return w
}

const deployedPrefix = "arn:aws:acm:us-west-2:111122223333:certificate/"

// open lays out a directory with the tool's input, and a PATH with the tool, kubectl and certdrift, which asks no AWS.
func (w *workplace) open(t *testing.T, certificate, name string, tool renderer) *deployDesk {
	t.Helper()
	dir, bin, recorded := t.TempDir(), t.TempDir(), t.TempDir()
	b := &deployDesk{desk: &desk{terminal: &terminal{dir: dir}}, log: filepath.Join(bin, "applied")}
	b.env = []string{"HOME=" + bin, "PATH=" + bin + ":" + os.Getenv("PATH"), "FIXTURE=" + recorded, "LOG=" + b.log, "REVISION=HEAD", "NO_COLOR=1", "AWS_EC2_METADATA_DISABLED=true"}
	from := filepath.Join("testdata", "deployment")
	values := strings.NewReplacer("CERTIFICATE", deployedPrefix+certificate, "NAME", name)
	check(t, filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		check(t, err)
		for _, to := range []string{dir, recorded} { // the tool writes over what it reads
			to = filepath.Join(to, strings.TrimPrefix(path, from))
			check(t, os.MkdirAll(filepath.Dir(to), 0o700))
			check(t, os.WriteFile(to, []byte(values.Replace(string(text))), 0o600))
		}
		return nil
	}))
	config := "version: 1\nenvironments:\n  production:\n    endpoints:\n      - {name: shop, url: \"https://shop.example.com\", service: store/shop, load_balancer: {name: shop}, certificate: {arn: \"" +
		deployedPrefix + "right\"}}\ncertificates:\n"
	for name, text := range w.files {
		check(t, os.WriteFile(filepath.Join(dir, name+".pem"), []byte(text), 0o600))
		config += fmt.Sprintf("  - {arn: %q, file: %s.pem}\n", deployedPrefix+name, name)
	}
	check(t, os.WriteFile(filepath.Join(dir, "certdrift.yaml"), []byte(config), 0o600))
	script := func(name, body string) {
		check(t, os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+body+"\n"), 0o700))
	}
	script("certdrift", w.bin+` "$@" --offline`)
	script("kubectl", `echo "kubectl $*" >>"$LOG"`)
	applies := ""
	if tool.apply != "" {
		applies = `case "$*" in "` + tool.apply + `"*) echo "$*" >>"$LOG"; exit 0;; esac` + "\n"
	}
	script(tool.command, applies+tool.body)
	return b
}

// deployDesk is a desk that knows whether something was applied.
type deployDesk struct {
	*desk
	log string
}

func (b *deployDesk) applied() bool {
	_, err := os.Stat(b.log)
	return err == nil
}
