package incident

import (
	"maps"
	"slices"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/policy"
)

// What a round found without asking who changed it keeps the author that is known; another finding's is not taken, nor one in place of what
// this round knows.
func TestAnAuthorThatIsKnownIsKept(t *testing.T) {
	by := func(name string) finding.Attribution { return finding.Attribution{Change: &finding.Change{Name: name}} }
	known := finding.Finding{Code: finding.DriftManifest, Endpoint: "api", Listener: "lb:443", Attribution: by("jane")}
	for name, c := range map[string]struct {
		found finding.Finding
		want  string
	}{
		"the same":             {finding.Finding{Code: finding.DriftManifest, Endpoint: "api", Listener: "lb:443"}, "jane"},
		"without its listener": {finding.Finding{Code: finding.DriftManifest, Endpoint: "api"}, "jane"},
		"at another listener":  {finding.Finding{Code: finding.DriftManifest, Endpoint: "api", Listener: "other:443"}, ""},
		"of another endpoint":  {finding.Finding{Code: finding.DriftManifest, Endpoint: "ui"}, ""},
		"of another code":      {finding.Finding{Code: finding.DriftAttached, Endpoint: "api", Listener: "lb:443"}, ""},
		"changed again":        {finding.Finding{Code: finding.DriftManifest, Endpoint: "api", Listener: "lb:443", Attribution: by("john")}, "john"},
		"changed again, by nobody known": {finding.Finding{
			Code: finding.DriftManifest, Endpoint: "api", Listener: "lb:443", Attribution: finding.Attribution{Unknown: "CloudTrail could not be read"},
		}, ""},
	} {
		found := []finding.Finding{c.found}
		keepAuthors(found, []finding.Finding{known})
		got := ""
		if change := found[0].Attribution.Change; change != nil {
			got = change.Name
		}
		if got != c.want {
			t.Errorf("%s: by %q, want %q", name, got, c.want)
		}
	}
}

// rich is what a round that reads the listener finds; the others are what rounds find that do not, or that see something else.
func rich() finding.Finding {
	return finding.Finding{
		Code: finding.DriftManifest, Severity: finding.Warning, Environment: "production", Endpoint: "api", Listener: "lb:443",
		Subject: finding.Subject{
			Listener: finding.Listener{Region: "us-west-2", Account: "111122223333", ARN: "arn:lb"}, Source: finding.Source{File: "api.yaml", Line: 9, Object: "Service api"},
		},
		Summary: "declares A, but the configuration declares B; after the next apply api.example.org would not be covered", Remedy: "Declare B.",
		Evidence: finding.Evidence{"would": "not be covered"},
		Certificates: finding.Certificates{
			Declared: []finding.Certificate{{ARN: "B", Names: []string{"*.example.org"}}}, Manifest: []finding.Certificate{{ARN: "A"}}, Attached: []finding.Certificate{{ARN: "B"}},
		},
		Attribution: finding.Attribution{Change: &finding.Change{Name: "jane"}},
		RestsOn:     []finding.Fact{{Kind: finding.FactListener, Resource: "111122223333/us-west-2/lb:443"}},
	}
}

func poor() finding.Finding {
	f := rich()
	f.Listener, f.Subject.Listener, f.Summary, f.Remedy = "", finding.Listener{}, "declares A, but the configuration declares B", "Declare something."
	f.Evidence, f.Attribution, f.RestsOn = finding.Evidence{"seen": "now"}, finding.Attribution{}, []finding.Fact{{Kind: finding.FactManifest, Resource: "api.yaml"}}
	f.Certificates = finding.Certificates{Declared: []finding.Certificate{{ARN: "B"}}, Manifest: []finding.Certificate{{ARN: "A"}}}
	return f
}

// TestAReminderHasTheFactsOfItsAlert: a round that reads no listener repeats what is known of it, as long as it sees nothing that contradicts
// that; one that reads the listener has the last word.
func TestAReminderHasTheFactsOfItsAlert(t *testing.T) {
	probes := Coverage{Configured: map[string]bool{"production/api": true}, Endpoints: map[string]Depth{"production/api": Whole}, Full: true}
	all := probes
	all.Listeners, all.ListenersWhole = map[string]bool{"111122223333/us-west-2/lb:443": true}, true
	for name, c := range map[string]struct {
		covered Coverage
		edit    func(*finding.Finding)
		kept    bool
	}{
		"nothing was read":            {probes, func(*finding.Finding) {}, true},
		"the listener was read":       {all, func(*finding.Finding) {}, false},
		"the manifest changed":        {probes, func(f *finding.Finding) { f.Certificates.Manifest[0].ARN = "C" }, false},
		"the declaration changed":     {probes, func(f *finding.Finding) { f.Certificates.Declared[0].ARN = "C" }, false},
		"another certificate":         {probes, func(f *finding.Finding) { f.Certificates.Served = []finding.Certificate{{ARN: "C"}} }, true}, // nothing is known to contradict it
		"another listener":            {probes, func(f *finding.Finding) { f.Listener = "other:443" }, false},
		"another file":                {probes, func(f *finding.Finding) { f.Subject.Source.File = "ui.yaml" }, false},
		"another endpoint":            {probes, func(f *finding.Finding) { f.Endpoint = "ui" }, false},
		"worse":                       {probes, func(f *finding.Finding) { f.Severity = finding.Critical }, false},
		"another code":                {probes, func(f *finding.Finding) { f.Code = finding.DriftDeclared }, false},
		"what the probe itself shows": {probes, func(f *finding.Finding) { f.Code = finding.HTTPStatus }, false},
	} {
		known, f := rich(), poor()
		c.edit(&f)
		if name == "what the probe itself shows" {
			known.Code = f.Code
		}
		b := &tracker{Input: Input{Coverage: c.covered}}
		got := []finding.Finding{f}
		b.keepKnown("production", got, []finding.Finding{known})
		kept := got[0].Remedy == known.Remedy && got[0].Summary == known.Summary && got[0].Subject.Listener == known.Subject.Listener &&
			len(got[0].Certificates.Attached) == 1 && len(got[0].Certificates.Declared[0].Names) == 1 && got[0].Evidence["would"] != nil &&
			got[0].Attribution.Change != nil && len(got[0].RestsOn) == 2
		if kept != c.kept || got[0].Evidence["seen"] != "now" || got[0].Severity != f.Severity {
			t.Errorf("%s: kept %v, want %v: %+v", name, kept, c.kept, got[0])
		}
		if !c.kept && (got[0].Remedy != f.Remedy || got[0].Summary != f.Summary || got[0].Evidence["would"] != nil) {
			t.Errorf("%s: some of it is kept: %+v", name, got[0])
		}
		if known.Evidence["seen"] != nil || f.Evidence["would"] != nil {
			t.Errorf("%s: the findings given were changed", name)
		}
	}
}

// What tells the time is this round's: a certificate that expires in 5 days does not go on expiring in 6.
func TestASummaryThatTellsTheTimeIsTheRoundsOwn(t *testing.T) {
	known, f := rich(), poor()
	known.Code, f.Code, f.Summary = finding.CertExpiring, finding.CertExpiring, "expires in 5 days"
	got := []finding.Finding{f}
	(&tracker{}).keepKnown("production", got, []finding.Finding{known})
	if got[0].Summary != f.Summary || got[0].Remedy != known.Remedy {
		t.Errorf("summary %q, remedy %q", got[0].Summary, got[0].Remedy)
	}
}

// TestKnownFactsAreSavedAndSent: through whole rounds: the reminder that probe sends, and what it saves, are as the alert was.
func TestKnownFactsAreSavedAndSent(t *testing.T) {
	p := policy.DefaultAlerting()
	at := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	in := Input{Policy: p, Findings: []finding.Finding{rich()}, Now: at, Coverage: Coverage{
		Configured: map[string]bool{"production/api": true}, Endpoints: map[string]Depth{"production/api": Whole}, Full: true,
		Listeners: map[string]bool{"111122223333/us-west-2/lb:443": true}, ListenersWhole: true,
	}}
	records := map[string]Record{}
	round := func() []Notice {
		changed, notices := Advance(in)
		for _, r := range changed {
			records[r.Key] = r
		}
		for _, n := range notices {
			records[n.Record.Key] = Sent(records[n.Record.Key], n, in.Now)
		}
		in.Records = slices.Collect(maps.Values(records))
		return notices
	}
	if alerts := round(); len(alerts) != 1 || alerts[0].Event != Opened {
		t.Fatalf("%d alerts", len(alerts))
	}
	in.Coverage.Listeners, in.Coverage.ListenersWhole = nil, false
	var reminders []Notice
	for range 30 {
		in.Now, in.Findings = in.Now.Add(time.Hour), []finding.Finding{poor()}
		reminders = append(reminders, round()...)
	}
	if len(reminders) != 1 || reminders[0].Event != Reminder {
		t.Fatalf("%d reminders", len(reminders))
	}
	for what, f := range map[string]finding.Finding{"sent": reminders[0].Findings[0], "saved": in.Records[0].Findings[0]} {
		if f.Summary != rich().Summary || f.Remedy != rich().Remedy || f.Attribution.Change == nil || len(f.Certificates.Attached) == 0 || f.Subject.Listener != rich().Subject.Listener {
			t.Errorf("%s: %+v", what, f)
		}
	}
	if n := len(in.Records[0].Findings); n != 1 || len(in.Records[0].Parts) != 1 {
		t.Errorf("%d findings and %d parts of one problem", n, len(in.Records[0].Parts))
	}
}
