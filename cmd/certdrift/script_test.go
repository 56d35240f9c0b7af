package main

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"certdrift": main}) }

var update = flag.Bool("update", false, "write the golden outputs in the scripts anew")

// TestScript runs the command line against live servers on loopback. Beside testscript's own commands there are:
//
//	serve NAME KIND…     starts a server of each kind; its HOST:PORT stands in $NAME (see servers_test.go for the kinds)
//	issue FILE DAYS NAME…  writes a certificate (see gates_test.go)
//	repaired NAME HANDSHAKES  starts a server that is repaired after so many handshakes
//	run STATUS COMMAND…  runs a command and expects that exit status; stdout and stderr check its output
//	jsonpath PATH VALUE  expects the value at a path ("findings.0.code") of the JSON on standard output
//	jsonpath PATH -N     expects N items there
//
// The file incident.json in each script's directory is a saved round with problems of many kinds. -update writes what the scripts
// compare outputs with.
func TestScript(t *testing.T) {
	pki := newAuthority(t)
	incident, err := os.ReadFile(filepath.Join("testdata", "incident.json"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			// No credentials, no metadata service: what needs none must work without.
			env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			env.Setenv("COLUMNS", "100000") // no sentence is folded; terminal.txtar is about that
			env.Setenv("CA", filepath.Join(env.WorkDir, "ca.pem"))
			return errors.Join(os.WriteFile(filepath.Join(env.WorkDir, "ca.pem"), pki.rootPEM(), 0o644),
				os.WriteFile(filepath.Join(env.WorkDir, "incident.json"), incident, 0o644))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": pki.serve, "issue": pki.issue, "repaired": pki.repaired, "run": run, "jsonpath": jsonPath,
		},
		UpdateScripts: *update, RequireExplicitExec: true, RequireUniqueNames: true,
	})
}

func run(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: run STATUS COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	ts.Logf("[stdout]\n%s[stderr]\n%s", ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}
