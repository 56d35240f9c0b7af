package cli

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"certdrift/internal/certtest"
)

// outputs runs a command with the product's own parts and returns everything it wrote, files in its directory included.
func outputs(t *testing.T, dir string, args ...string) (status int, all map[string]string) {
	t.Helper()
	var out, errs bytes.Buffer
	summary := filepath.Join(dir, "summary.md")
	env := map[string]string{"GITHUB_STEP_SUMMARY": summary}
	app := &App{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Getenv: func(name string) string { return env[name] }, Now: time.Now, Parts: Product(),
	}
	status = app.Run(t.Context(), args)
	all = map[string]string{"standard output": out.String(), "standard error": errs.String()}
	if text, err := os.ReadFile(summary); err == nil {
		all["step summary"] = string(text)
	}
	return status, all
}

func put(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestNoOutputShowsASecret: a configuration with a secret wherever one can be, and servers that echo all of it in every encoding:
// no format of any command shows one.
func TestNoOutputShowsASecret(t *testing.T) {
	secrets, dir := certtest.NewSecrets(), t.TempDir()
	config := put(t, filepath.Join(dir, "certdrift.yaml"), secrets.Configuration(t))
	saved := filepath.Join(dir, "saved.json")
	check := func(args ...string) map[string]string {
		t.Helper()
		status, all := outputs(t, dir, args...)
		if status != 1 {
			t.Fatalf("%q: exit status %d\n%s", args, status, all["standard error"])
		}
		for where, text := range all {
			if leaked := secrets.LeakedIn(text); leaked != nil {
				t.Errorf("%q: %s shows the secrets of %q", args, where, leaked)
			}
		}
		return all
	}
	out := check("check", "-c", config, "--save", saved, "--format", "json")["standard output"]
	for _, want := range []string{"[secret]", "http-status", "http-redirect-blocked", "http-redirect-loop", "http-invalid", "?pin=[secret]&sig=[secret]&token=[secret]"} {
		if !strings.Contains(strings.ReplaceAll(out, `\u0026`, "&"), want) {
			t.Errorf("the test tests nothing: no %s in the report", want)
		}
	}
	kept, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	if leaked := secrets.LeakedIn(string(kept)); leaked != nil {
		t.Errorf("the saved observations show the secrets of %q", leaked)
	}
	for _, format := range formatNames() {
		check("judge", saved, "--format", format)
		check("check", "-c", config, "--format", format)
	}
	check("verify", "-c", config, "--wait", "1s", "--interval", "1s")
	address := strings.SplitN(strings.SplitN(secrets.Configuration(t), `url: "`, 2)[1], `"`, 2)[0]
	check("check", strings.ReplaceAll(address, `\u0026`, "&"), "--format", "text")
	check("check", strings.ReplaceAll(address, `\u0026`, "&"), "--format", "json")
}

// TestNoErrorShowsASecret: neither does an error in a configuration, wherever it is.
func TestNoErrorShowsASecret(t *testing.T) {
	secrets := certtest.NewSecrets()
	for name, text := range secrets.Broken() {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			config := put(t, filepath.Join(dir, "certdrift.yaml"), text)
			for _, args := range [][]string{
				{"validate", "-c", config}, {"validate", "-c", config, "--format", "json"}, {"validate", "-c", config, "--format", "github"},
				{"validate", "-c", config, "--format", "sarif"}, {"validate", "-c", config, "--format", "html"},
				{"check", "-c", config, "--format", "prometheus"}, {"check", "-c", config, "--format", "markdown"}, {"check", "-c", config, "--format", "junit"},
			} {
				if args[0] == "check" && strings.Contains(text, "https://example.org/\"") {
					continue // it would be probed
				}
				status, all := outputs(t, dir, args...)
				if (status == 0 || status == 1) && !strings.Contains(name, "begins with") { // some of those are plain text
					t.Errorf("%q: exit status %d: no error", args, status)
				}
				for where, text := range all {
					if leaked := secrets.LeakedIn(text); leaked != nil {
						t.Errorf("%q: %s shows the secrets of %q", args, where, leaked)
					}
				}
			}
		})
	}
	userinfo := "u:" + url.QueryEscape(secrets["password"]) + "@"
	typed := "https://" + userinfo + "example.org/x?token=" + url.QueryEscape(secrets["query"]) + "&" + url.QueryEscape(secrets["barequery"]) + "#" + url.QueryEscape(secrets["fragment"])
	wrong := [][]string{
		{"check", "https://u:" + secrets["password"] + "@exa mple.org/?token=" + secrets["query"]}, {"check", "htps://u:" + secrets["password"] + "@example.org/?token=" + secrets["query"]},
		{"check", "example.org:x/?token=" + secrets["query"]}, {"check", "example.org:x/?" + secrets["barequery"]}, {"check", "https://example.org/#" + secrets["fragment"]},
		{"check", "https:/" + userinfo + "example.org/"}, {"check", "https:" + userinfo + "example.org/"}, {"check", userinfo + "example.org:x"},
		{"check", "//" + userinfo + "example.org:x/"}, {"check", "https://example.org/", "--connect-to", "u:" + secrets["password"] + "@example.org:1"},
		{typed}, {"help", typed}, {"check", "--nope=" + typed}, {"check", "--timeout", typed}, {"check", "--output", typed, "https://example.org:x/"},
		{"check", "--environment", typed}, {"check", "-c", typed}, {"judge", "--now", typed, "x"}, {"verify", "--wait", typed},
		{"plan", "--endpoint", typed}, {"plan", "-c", typed, typed}, {"incidents", "list", typed}, {"incidents", "acknowledge", typed}, {"alert", "--topic", typed},
		{"check", "tls://" + userinfo + "example.org:1"}, {"check", "https://" + userinfo + "example.org:99999/"}, {"check", "https://" + userinfo + "example.org/%zz?" + secrets["barequery"]},
	}
	for _, command := range (&App{Parts: Product()}).Root().Commands() {
		if name := command.Name(); name != "check" && name != "completion" && name != "init" { // these take URLs, or call AWS
			wrong = append(wrong, []string{name, typed}, []string{name, "--format", typed, typed})
		}
	}
	for _, args := range wrong {
		status, all := outputs(t, t.TempDir(), args...)
		if status == 0 {
			t.Errorf("%q: no error", args)
		}
		for where, text := range all {
			if leaked := secrets.LeakedIn(text); leaked != nil {
				t.Errorf("%q: %s shows the secrets of %q:\n%s", args, where, leaked, text)
			}
		}
	}
}
