package config

import (
	"slices"
	"testing"

	"certdrift/internal/target"
)

func TestTextWithColonsWithinBraces(t *testing.T) {
	const file = "testdata/braces.yaml"
	cfg, diagnostics := Load(read(t, file), Options{File: file, ReadFile: beside(t)})
	if len(diagnostics) > 0 || len(cfg.Endpoints) != 1 {
		t.Fatalf("%d endpoints, diagnostics:\n%s", len(cfg.Endpoints), list(diagnostics))
	}
	if got, want := cfg.Endpoints[0].ConnectTo, []string{"127.0.0.1:8443", "localhost:8444"}; !slices.Equal(got, want) {
		t.Errorf("connect_to is %q, want %q", got, want)
	}
	want := []target.Role{{ARN: "arn:aws:iam::444455556666:role/certdrift"}, {ARN: "arn:aws:iam::777788889999:role/certdrift", ExternalID: "x"}}
	if !slices.Equal(cfg.Scope.Roles, want) {
		t.Errorf("roles are %+v, want %+v", cfg.Scope.Roles, want)
	}
}

func TestMappingsInListsStayMappings(t *testing.T) {
	for _, item := range []string{"{127.0.0.1: 8443}", "127.0.0.1: 8443", "'127.0.0.1':8443"} {
		data := []byte("version: 1\nenvironments: {p: {endpoints: [{name: api, url: https://api.example.org/, connect_to: [" + item + "]}]}}\n")
		if _, diagnostics := Load(data, Options{File: "certdrift.yaml", ReadFile: beside(t)}); len(diagnostics) == 0 {
			t.Errorf("connect_to: [%s] is taken for text", item)
		}
	}
}
