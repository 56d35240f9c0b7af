package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"certdrift/e2e/debian"
	"certdrift/internal/policy"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

var update = flag.Bool("update", false, "write what the commands of docs/first-deploy.md print into it")

// guide is a run of docs/first-deploy.md: a user's terminal, and the account that answers.
type guide struct {
	t        *testing.T
	front    *front
	world    *world
	terminal *terminal
	stack    *stack
	email    *inbox
	zips     string // the unpacked release
	first    string // email
}

// TestFirstDeploy does what docs/first-deploy.md says, command by command, with the packages and the template of a release, and compares what
// it prints. The emulator knows no transform, so the uploaded template is replaced by what the transform makes of it.
func TestFirstDeploy(t *testing.T) {
	enabled(t)
	t.Parallel()
	debian.Install(t, map[string]string{"unzip": "unzip"})
	if debian.Program("unzip") == "" {
		t.Skip("unzip is not on this machine: docs/first-deploy.md was not tried")
	}
	f := startFront(t, startMoto(t))
	w := makeWorld(t, asTester(f.url))
	issuer, err := w.ca.Intermediate("certdrift guide issuer", time.Now())
	check(t, err)
	for _, b := range []balanced{
		{environment: "production", name: "ui", host: "www.monitoring.example.org", balancer: "a11f0c52e7d9411e89b3a06c5f2d8e71", service: "production/ui"},
		{environment: "staging", name: "api", host: "api-staging.monitoring.example.org", balancer: "a44c3f85bafc7441bce6d39f825ab1a4", service: "staging/api"},
	} {
		pair, err := issuer.Leaf(time.Now(), []string{b.host})
		check(t, err)
		w.right[b.environment] = w.importACM(t, acm.NewFromConfig(asTester(f.url)), pair)
		w.balanced = append(w.balanced, w.balance(t, b))
	}
	g := &guide{t: t, front: f, world: w, terminal: openTerminal(t, w, f.url)}
	check(t, os.Remove(filepath.Join(g.terminal.dir, "certdrift.yaml")))
	g.release()

	path := filepath.Join(root, "docs", "first-deploy.md")
	text, err := os.ReadFile(path)
	check(t, err)
	got := g.follow(string(text))
	switch {
	case *update:
		check(t, os.WriteFile(path, []byte(got), 0o600))
	case steady(got) != steady(string(text)):
		t.Errorf("docs/first-deploy.md is out of date: CERTDRIFT_E2E=1 go test ./e2e -run TestFirstDeploy -update\n%s", firstDifference(steady(string(text)), steady(got)))
	}
	for _, refused := range f.guard.refusals() {
		t.Errorf("a function makes a call that its role does not allow: %s", refused)
	}
}

// release builds the part of a release that the guide uses, for this machine, and unpacks it for the test.
func (g *guide) release() {
	dist := g.t.TempDir()
	_, err := run(g.t.Context(), nil, "make", "release", "DIST="+dist, "VERSION=v0.1.0", "PLATFORMS=", "ARCHITECTURES="+runtime.GOARCH)
	check(g.t, err)
	file := filepath.Join(g.terminal.dir, "certdrift-stack_v0.1.0.zip")
	check(g.t, os.Rename(filepath.Join(dist, "certdrift-stack_v0.1.0.zip"), file))
	g.zips = g.t.TempDir()
	_, err = run(g.t.Context(), nil, "unzip", "-q", file, "-d", g.zips)
	check(g.t, err)
}

var block = regexp.MustCompile("(?s)(?:<!-- (\\w+) (\\d) -->\n)?```(console|text)\n(.*?)```\n")

// follow runs the guide's commands in order and returns the guide with what they printed.
func (g *guide) follow(text string) string {
	return block.ReplaceAllStringFunc(text, func(found string) string {
		m, printed := block.FindStringSubmatch(found), ""
		if m[3] == "text" {
			printed = "<!-- " + m[1] + " " + m[2] + " -->\n```text\n" + g.received(m[2]) + "```\n"
		} else {
			for _, command := range commandsOf(m[4]) {
				printed += "$ " + command + "\n" + g.hide(g.step(command))
			}
			printed = "```console\n" + printed + "```\n"
		}
		if steady(printed) == steady(found) {
			return found // with -update, nothing changes but what must
		}
		return printed
	})
}

// commandsOf returns the commands in a console block: lines after a prompt, with the lines that a backslash continues.
func commandsOf(console string) []string {
	var out []string
	continued := false
	for _, line := range strings.Split(console, "\n") {
		command, prompted := strings.CutPrefix(line, "$ ")
		switch {
		case prompted:
			out = append(out, command)
		case continued:
			out[len(out)-1] += "\n" + line
		}
		continued = (prompted || continued) && strings.HasSuffix(line, `\`)
	}
	return out
}

// step runs one command, with what a real account does on its side, and returns what it printed.
func (g *guide) step(command string) string {
	if strings.Contains(command, "create-stack ") {
		command += " ParameterKey=ConfigFiles,ParameterValue=ca.pem"
		if runtime.GOARCH == "amd64" {
			command += " ParameterKey=Architecture,ParameterValue=x86_64"
		}
		g.transform(command)
	}
	began := time.Now()
	defer func() { g.t.Logf("%.1f s  %s", time.Since(began).Seconds(), command) }() // for docs/stopwatch.md
	before, _ := g.world.attached(g.t.Context(), g.world.balanced[0].balancer)
	cmd := exec.CommandContext(g.t.Context(), "sh", "-c", command)
	cmd.Dir, cmd.Env = g.terminal.dir, g.terminal.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		g.t.Errorf("%s: %v\n%s", command, err, tail(out, 3000))
	}
	switch {
	case strings.Contains(command, "alert --test"):
		if tests := g.email.texts(g.t); len(tests) != 1 {
			g.t.Errorf("%d test emails arrived", len(tests))
		}
	case strings.Contains(command, "certdrift init"):
		g.connect()
	case strings.Contains(command, "create-stack "):
		g.start()
	case strings.Contains(command, "set-load-balancer-listener-ssl-certificate"):
		after, _ := g.world.attached(g.t.Context(), g.world.balanced[0].balancer)
		g.changed(before, after)
	}
	return string(out)
}

// transform replaces the uploaded template.
func (g *guide) transform(command string) {
	script, err := filepath.Abs("translate.py")
	check(g.t, err)
	out := filepath.Join(g.t.TempDir(), "template.json")
	args := []string{script, filepath.Join(g.zips, "template.json"), "--released", out}
	settings := map[string]string{}
	for _, m := range regexp.MustCompile(`ParameterKey=(\w+),ParameterValue=(\S+)`).FindAllStringSubmatch(command, -1) {
		settings[m[1]] = m[2]
		args = append(args, m[1]+"="+m[2])
	}
	_, err = run(g.t.Context(), []string{"AWS_REGION=" + region, "PYTHONDONTWRITEBYTECODE=1"}, python(g.t), args...)
	check(g.t, err)
	_, status := g.terminal.shell(g.t, "aws s3 cp --quiet "+out+" s3://example-certdrift/certdrift/v0.1.0/template.json && aws s3 cp --quiet ca.pem s3://example-certdrift/ca.pem")
	if status != 0 {
		g.t.Fatal("the transformed template could not be uploaded")
	}
	g.published(out, settings)
}

// published checks that the code of each function is an object in the bucket.
func (g *guide) published(file string, settings map[string]string) {
	text, err := os.ReadFile(file)
	check(g.t, err)
	var template struct {
		Parameters map[string]struct{ Default any }
		Resources  map[string]struct {
			Type       string
			Properties struct {
				Architectures []any
				Code          struct{ S3Bucket, S3Key any }
			}
		}
	}
	check(g.t, json.Unmarshal(text, &template))
	value := func(v any) string {
		if name, ok := within(v, "Ref").(string); ok {
			v = "${" + name + "}"
		} else if text, ok := within(v, "Fn::Sub").(string); ok {
			v = text
		}
		return os.Expand(fmt.Sprint(v), func(name string) string {
			if given, ok := settings[name]; ok {
				return given
			}
			return fmt.Sprint(template.Parameters[name].Default)
		})
	}
	functions := 0
	for id, r := range template.Resources {
		if r.Type != "AWS::Lambda::Function" {
			continue
		}
		functions++
		bucket, key := value(r.Properties.Code.S3Bucket), value(r.Properties.Code.S3Key)
		if _, status := g.terminal.shell(g.t, "aws s3api head-object --bucket "+bucket+" --key "+key); status != 0 {
			g.t.Errorf("the code of %s is at s3://%s/%s, where nothing is", id, bucket, key)
		}
		if len(r.Properties.Architectures) != 1 || !strings.HasSuffix(key, "_"+value(r.Properties.Architectures[0])+".zip") {
			g.t.Errorf("%s is for %v and runs %s", id, r.Properties.Architectures, key)
		}
	}
	if want := len(readTemplate(g.t, "template.yaml").of("AWS::Serverless::Function")); functions != want {
		g.t.Errorf("%d functions, the source has %d", functions, want)
	}
}

// start runs the stack's functions from the release's packages; the account invokes them.
func (g *guide) start() {
	cfg := asTester(g.front.url)
	s := &stack{front: g.front}
	var err error
	s.bus, err = readBus(g.t.Context(), eventbridge.NewFromConfig(cfg))
	check(g.t, err)
	functions := map[string]*function{}
	for _, name := range []string{"probe", "inspect"} {
		f := g.function("certdrift-" + name)
		check(g.t, g.front.guard.load(g.t.Context(), iam.NewFromConfig(cfg), f.name, f.deployed.Role))
		functions[f.name] = f
	}
	s.probe, s.inspect = functions["certdrift-probe"], functions["certdrift-inspect"]
	g.front.invoked = func(name string, payload []byte) ([]byte, error) {
		if f, ok := functions[name]; ok {
			if len(payload) == 0 {
				payload = []byte("{}")
			}
			return f.invoke(payload)
		}
		return nil, fmt.Errorf("no function %q", name)
	}
	g.stack, g.email = s, openQueue(g.t, cfg, "email")
}

// function starts a function of the stack with the settings and the package that Lambda has of it.
func (g *guide) function(name string) *function {
	out, status := g.terminal.shell(g.t, "aws lambda get-function --function-name "+name)
	if status != 0 {
		g.t.Fatalf("the stack has no function %q", name)
	}
	var got struct {
		Configuration struct {
			FunctionArn, Role, Handler, Runtime string
			Timeout, MemorySize                 int
			Environment                         struct{ Variables map[string]string }
		}
	}
	check(g.t, json.Unmarshal([]byte(out), &got))
	c := got.Configuration
	id := map[string]string{"certdrift-probe": "ProbeFunction", "certdrift-inspect": "InspectFunction"}[name]
	packages, err := filepath.Glob(filepath.Join(g.zips, id+"_v0.1.0_*.zip"))
	check(g.t, err)
	dir := g.t.TempDir()
	_, err = run(g.t.Context(), nil, "unzip", "-q", packages[0], "-d", dir)
	check(g.t, err)
	return startFunction(g.t, name, deployed{
		ARN: c.FunctionArn, Role: c.Role[strings.LastIndex(c.Role, "/")+1:], Environment: c.Environment.Variables,
		Timeout: c.Timeout, Memory: c.MemorySize, Handler: c.Handler, Runtime: c.Runtime,
	}, dir, g.front.url)
}

// changed delivers CloudTrail's event for a change of the certificate.
func (g *guide) changed(before, after string) {
	event := strings.ReplaceAll(string(sample(g.t, "classic-set-certificate-console-production-ui.json", g.world)), before, after)
	g.stack.send(g.t, []byte(event))
}

// received is the email that arrived: the first one after the change, the second one after the command in the first was run.
func (g *guide) received(number string) string {
	if number == "2" {
		fix := regexp.MustCompile(`(?m)^ +(aws elb set-load-balancer-listener-ssl-certificate .*)$`).FindStringSubmatch(g.first)
		if fix == nil {
			g.t.Fatalf("the email has no command:\n%s", g.first)
		}
		g.step(fix[1])
	}
	texts := g.email.texts(g.t)
	for round := 0; round < 4 && len(texts) == 0; round++ {
		if round > 0 {
			time.Sleep(policy.DefaultAlerting().Apart + time.Second)
		}
		g.stack.round(g.t)
		texts = g.email.texts(g.t)
	}
	if len(texts) != 1 {
		g.t.Fatalf("%d emails arrived, want one: %q", len(texts), texts)
	}
	g.first = texts[0]
	return g.hide(strings.TrimRight(texts[0], "\n") + "\n")
}

// connect leads certdrift to the servers of this world, which are on loopback and have a CA of their own.
func (g *guide) connect() {
	path := filepath.Join(g.terminal.dir, "certdrift.yaml")
	text, err := os.ReadFile(path)
	check(g.t, err)
	config := strings.Replace(string(text), "version: 1\n", "version: 1\n"+ownCA, 1)
	for _, b := range g.world.balanced {
		url := "url: https://" + b.host + "/\n"
		if !strings.Contains(config, url) {
			g.t.Fatalf("the draft has no endpoint for %s:\n%s", b.host, config)
		}
		config = strings.Replace(config, url, url+"        "+fmt.Sprintf(connectTo, b.edge.Address), 1)
	}
	check(g.t, os.WriteFile(path, []byte(config), 0o600))
}

const (
	ownCA     = "trust: {ca_files: [ca.pem]}\n"
	connectTo = "connect_to: [%q]\n"
)

// hide takes this world's own lines out of what was printed, and its addresses.
func (g *guide) hide(text string) string {
	text = strings.Replace(text, ownCA, "", 1)
	for i, b := range g.world.balanced {
		text = strings.ReplaceAll(text, "        "+fmt.Sprintf(connectTo, b.edge.Address), "")
		text = strings.ReplaceAll(text, b.edge.Address, fmt.Sprintf("203.0.113.%d:443", 10*(i+1)))
		_, id, _ := strings.Cut(g.world.right[b.environment], ":certificate/")
		shown := fmt.Sprintf("%d0b7d2f3-52c7-4f0e-9d1b-6a8f5a2f1c01", i+1)
		text = strings.NewReplacer(id, shown, id[:8]+"…", shown[:8]+"…").Replace(text)
	}
	if strings.Contains(text, "127.0.0.1") {
		g.t.Errorf("an address of this machine is shown:\n%s", text)
	}
	return text
}

// changing matches what differs between runs: identifiers, digests, dates, durations.
var changing = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{8}…|\b[0-9a-f]{64}\b|` +
	`\b\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?)?( UTC|Z)?|\b(a|\d+(\.\d+)?) ?(ms|s|seconds?|minutes?)\b`)

// steady is a text without what differs between runs.
func steady(text string) string {
	return regexp.MustCompile(` +`).ReplaceAllString(changing.ReplaceAllString(text, "#"), " ")
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			return fmt.Sprintf("line %d\n- %s\n+ %s", i+1, strings.Join(a[i:min(len(a), i+3)], "\n  "), strings.Join(b[min(len(b), i):min(len(b), i+3)], "\n  "))
		}
	}
	return "more lines at the end"
}
