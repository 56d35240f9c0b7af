package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// actionFile is the part of action.yml that a runner runs.
type actionFile struct {
	Inputs map[string]struct{ Default string }
	Runs   struct {
		Steps []struct {
			ID, If, Shell, Run, Uses string
			Env                      map[string]string
		}
	}
}

// actionRun is one run of the action's shell steps as a runner runs them, with gh and the build's output in place of GitHub.
type actionRun struct {
	status                int
	said, summary, output string
	comments              string // what gh was asked to do, a line each
}

func runAction(t *testing.T, d *desk, bin string, inputs map[string]string, existing string) actionRun {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "action.yml"))
	check(t, err)
	var action actionFile
	check(t, yaml.Unmarshal(text, &action))
	temp, tools := t.TempDir(), t.TempDir()
	program, err := os.ReadFile(bin)
	check(t, err)
	check(t, os.WriteFile(filepath.Join(temp, "certdrift"), program, 0o700))
	gh := `#!/bin/sh
if [ "$EXISTING" = denied ]; then echo "HTTP 403: Resource not accessible by integration" >&2; exit 1; fi
case "$*" in *--paginate*) printf '%s' "$EXISTING"; exit;; esac
echo "$@" >> "$COMMENTS"; for arg; do case $arg in body=@*) cat "${arg#body=@}" >> "$COMMENTS";; esac; done
`
	check(t, os.WriteFile(filepath.Join(tools, "gh"), []byte(gh), 0o700))
	file := func(name string) string { return filepath.Join(temp, name) }
	env := append(os.Environ(), "PATH="+tools+":"+os.Getenv("PATH"), "RUNNER_TEMP="+temp, "GITHUB_OUTPUT="+file("output"), "GITHUB_STEP_SUMMARY="+file("summary"),
		"GITHUB_REPOSITORY=acme/shop", "EXISTING="+existing, "COMMENTS="+file("comments"))
	value := func(expression string) string {
		name, isInput := strings.CutPrefix(strings.Trim(expression, "${} "), "inputs.")
		if given, ok := inputs[name]; ok {
			return given
		}
		if isInput {
			return action.Inputs[name].Default
		}
		return "7" // the pull request's number
	}
	var out actionRun
	for _, step := range action.Runs.Steps {
		if step.Run == "" || strings.Contains(step.Run, "go build") || out.status != 0 && step.If == "" {
			continue
		}
		cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.Run)
		cmd.Dir, cmd.Env = d.dir, env
		for name, expression := range step.Env {
			cmd.Env = append(cmd.Env, name+"="+value(expression))
		}
		said, err := cmd.CombinedOutput()
		out.said += string(said)
		if err != nil {
			out.status = cmd.ProcessState.ExitCode()
		}
	}
	read := func(name string) string { text, _ := os.ReadFile(file(name)); return string(text) }
	out.summary, out.output, out.comments = read("summary"), read("output"), read("comments")
	return out
}

// TestTheAction runs action.yml's steps on a pull request: the outcomes of a plan, the comment that is written once and then updated, and
// mistakes, which must not pass.
func TestTheAction(t *testing.T) {
	enabled(t)
	t.Parallel()
	w := newWorkplace(t)
	plan := map[string]string{"manifests": "\nrendered.yaml\n", "offline": "true"}
	with := func(key, value string) map[string]string {
		out := map[string]string{key: value}
		for k, v := range plan {
			if _, given := out[k]; !given {
				out[k] = v
			}
		}
		return out
	}
	for _, c := range []struct {
		name, certificate, service string
		inputs                     map[string]string
		existing                   string
		status                     int
		said, summary, comment     string
	}{
		{"right", "right", "shop", plan, "", 0, "", "shop", "--method POST repos/acme/shop/issues/7/comments"},
		{"wrong", "wrong", "shop", plan, "", 1, "::error::certdrift plan ended with status 1", "refused", "<!-- certdrift plan certdrift.yaml -->"},
		{"a second push", "wrong", "shop", plan, "4711\n4712\n", 1, "", "refused", "--method PATCH repos/acme/shop/issues/comments/4711 "},
		{"a pull request from a fork", "right", "shop", plan, "denied", 0, "::warning::certdrift could not write its comment", "shop", ""},
		{"undecided", "right", "elsewhere", plan, "", 3, "::error::", "undecided", "undecided"},
		{"undecided, let pass", "right", "elsewhere", with("undecided", "pass"), "", 0, "::warning::certdrift plan could not decide", "undecided", "undecided"},
		{"refused all the same", "wrong", "shop", with("undecided", "pass"), "", 1, "::error::", "refused", "refused"},
		{"no such manifest", "right", "shop", with("manifests", "nowhere.yaml"), "", 2, "::error::", "nowhere.yaml", "nowhere.yaml"},
		{"a configuration with errors", "right", "shop", with("config", "rendered.yaml"), "", 2, "::error::", "config-invalid", "config-invalid"},
		{"no configuration", "right", "shop", with("config", "nowhere.yaml"), "", 2, "::error::", "could not report: exit status 2", "could not report"},
		{"another command", "right", "shop", with("command", "judge"), "", 2, "plan or verify", "", ""},
		{"a misspelled input", "right", "shop", with("undecided", "Pass"), "", 2, "fail or pass", "", ""},
		{"verify", "right", "shop", map[string]string{"command": "verify", "environments": "staging", "wait": "0"}, "", 2, "staging", "could not report", "<!-- certdrift verify"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := runAction(t, w.open(t, c.certificate, c.service, renderers()["Kustomize"]).desk, w.bin, c.inputs, c.existing)
			if got.status != c.status || !strings.Contains(got.said, c.said) || !strings.Contains(got.summary, c.summary) || !strings.Contains(got.comments, c.comment) {
				t.Errorf("exit status %d, want %d\nlog, want %q:\n%s\nsummary, want %q:\n%s\ncomments, want %q:\n%s", got.status, c.status, c.said, got.said, c.summary, got.summary, c.comment, got.comments)
			}
			if n := strings.Count(got.comments, "--method"); n > 1 || c.comment == "" && n > 0 {
				t.Errorf("%d comments were written:\n%s", n, got.comments)
			}
		})
	}
}
