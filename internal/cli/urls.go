package cli

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"certdrift/internal/config"
	"certdrift/internal/observation"
)

// urls are endpoints given on the command line, and the flag that holds for them.
type urls struct {
	connectTo []string
}

// The environment that URLs stand in while they are read as a configuration.
const urlEnvironment = "urls"

// parse makes a configuration of URLs and reads it like any other, so that a URL on the command line is checked by the
// same rules as one in a file. An endpoint of the command line belongs to no environment and is called by its URL.
func (u urls) parse(read func(string, []byte) (config.Config, []observation.Diagnostic), args []string) (config.Config, []observation.Diagnostic, error) {
	if len(args) == 0 {
		return config.Config{}, nil, nil
	}
	var endpoints []map[string]any
	var names []string
	for i, arg := range args {
		full, name, err := withScheme(arg)
		if err != nil {
			return config.Config{}, nil, err
		}
		e := map[string]any{"name": urlName(i), "url": full}
		if len(u.connectTo) > 0 {
			e["connect_to"] = u.connectTo
		}
		endpoints, names = append(endpoints, e), append(names, name)
	}
	yaml, err := json.Marshal(map[string]any{ // JSON is YAML
		"version": 1, "environments": map[string]any{urlEnvironment: map[string]any{"endpoints": endpoints}},
	})
	if err != nil {
		return config.Config{}, nil, fmt.Errorf("reading the URLs: %w", err)
	}
	cfg, faults := read("command line", yaml)
	if len(faults) > 0 {
		return config.Config{}, unplaced(faults, names), nil
	}
	for i := range cfg.Endpoints {
		cfg.Endpoints[i].Environment, cfg.Endpoints[i].Name = "", unique(names, i)
		cfg.Endpoints[i].Source.File, cfg.Endpoints[i].Source.Line, cfg.Endpoints[i].Source.Column = "", 0, 0
	}
	return cfg, nil, nil
}

func urlName(i int) string { return fmt.Sprintf("url-%d", i+1) }

// unplaced are faults of URLs. They are the command's own, so the whole command is refused; no file holds them.
func unplaced(faults []observation.Diagnostic, names []string) []observation.Diagnostic {
	var out []observation.Diagnostic
	for _, f := range faults {
		for i, name := range names {
			if f.Endpoint == urlName(i) {
				f.Message = name + ": " + f.Message
			}
		}
		out = append(out, observation.Diagnostic{Message: f.Message, Hint: f.Hint})
	}
	return out
}

// withScheme is a URL as a configuration wants it, https where it names no scheme, and the name the endpoint goes by:
// the URL without credentials, query and fragment.
func withScheme(arg string) (full, name string, err error) {
	full = arg
	if !strings.Contains(arg, "://") {
		full = "https://" + arg
	}
	parsed, err := url.Parse(full)
	if err != nil || parsed.Host == "" || full != arg && strings.HasSuffix(parsed.Host, ":") { // https:/user:password@example.org/
		return "", "", usage("for example https://example.org/health or tls://example.org:8443", "not a URL: %q", harmless(arg))
	}
	shown := url.URL{Scheme: parsed.Scheme, Host: parsed.Host, Path: parsed.Path}
	return full, shown.String(), nil
}

// harmless cuts what may be secret off an argument that is not a URL: what may be credentials, a query or a fragment.
func harmless(arg string) string {
	if i := strings.LastIndexByte(arg, '@'); i >= 0 {
		arg = "…" + arg[i:]
	}
	if i := strings.IndexAny(arg, "?#"); i >= 0 {
		arg = arg[:i] + "…"
	}
	return arg
}

// unique tells the second URL of the same name from the first.
func unique(names []string, i int) string {
	before := 0
	for _, name := range names[:i] {
		if name == names[i] {
			before++
		}
	}
	if before == 0 {
		return names[i]
	}
	return fmt.Sprintf("%s (%d)", names[i], before+1)
}
