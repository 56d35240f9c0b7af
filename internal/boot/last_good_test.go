package boot

import (
	"context"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/awsio/source"
	"certdrift/internal/config"
	"certdrift/internal/finding"
	"certdrift/internal/lambda"
	"certdrift/internal/metric"
	"certdrift/internal/observation"
	"certdrift/internal/round"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
	"certdrift/internal/trust"
)

// shelf is a bucket: files by location, and what happens on reading one.
type shelf struct {
	files map[string]string
	fails map[string]error
	hangs bool
}

func (s *shelf) Read(ctx context.Context, location string) ([]byte, error) {
	if s.hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if err := s.fails[location]; err != nil {
		return nil, err
	}
	text, ok := s.files[location]
	if !ok {
		return nil, &source.Error{Place: location, Err: fs.ErrNotExist}
	}
	return []byte(text), nil
}

func (s *shelf) Files(ctx context.Context, location string) ([]source.File, error) {
	data, err := s.Read(ctx, location)
	return []source.File{{Name: location, Data: data}}, err
}

// vault is the table's item.
type vault struct {
	data          []byte
	saves         int
	denied, hangs bool
}

func (v *vault) answer(ctx context.Context) error {
	if v.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	if v.denied {
		return errors.New("access denied")
	}
	return nil
}

func (v *vault) Load(ctx context.Context) ([]byte, error) { return v.data, v.answer(ctx) }

func (v *vault) Save(ctx context.Context, data []byte) error {
	if err := v.answer(ctx); err != nil {
		return err
	}
	v.data = data
	v.saves++
	return nil
}

const (
	location = "s3://bucket/certdrift.yaml"
	good     = "version: 1\nenvironments:\n  prod:\n    endpoints:\n      - {name: a, url: https://a.invalid, ca_files: [ca.pem]}\n"
)

// unresolved is a prober for which no name resolves.
type unresolved struct{}

func (unresolved) Probe(_ context.Context, endpoints []target.Endpoint) []observation.Endpoint {
	var out []observation.Endpoint
	for _, e := range endpoints {
		out = append(out, observation.Endpoint{Target: e, Probed: true})
	}
	return out
}

func (unresolved) Resolve(context.Context, string) observation.DNS { return observation.DNS{} }

func testCA(t *testing.T) string {
	root, err := pki.Root("root", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate.Raw}))
}

// installation is a function with a bucket and a table, started any number of times.
type installation struct {
	t     *testing.T
	shelf *shelf
	vault *vault
	inbox *inbox
	gauge *gauge
	log   strings.Builder
	store *round.Memory
}

func newInstallation(t *testing.T) *installation {
	return &installation{
		t: t, shelf: &shelf{files: map[string]string{location: good, "s3://bucket/ca.pem": testCA(t)}, fails: map[string]error{}},
		vault: &vault{}, inbox: &inbox{}, gauge: &gauge{}, store: round.NewMemory(),
	}
}

// start is a cold start: it returns the handler.
func (i *installation) start() *lambda.Function {
	logger := slog.New(slog.NewTextHandler(&i.log, nil))
	l := &loader{reader: i.shelf, location: location, now: time.Now, keeper: i.vault, log: logger}
	publisher := &round.Publisher{Now: time.Now, Store: i.store, Gauge: i.gauge, Function: "probe", By: "test"}
	publisher.Tell(i.inbox)
	runners := &Runners{Now: time.Now, Stores: &trust.Stores{}, Publisher: publisher}
	return lambda.New(lambda.Parts{
		Runner: func(c config.Config) *round.Runner {
			r := runners.For(c)
			r.Prober = unresolved{}
			return r
		},
		Load: l.load, Depth: round.ListenersOnProblem, Log: logger, Now: time.Now,
	})
}

func (i *installation) round(f *lambda.Function) (lambda.Summary, error) {
	time.Sleep(2 * time.Minute)
	ctx, cancel := context.WithTimeout(i.t.Context(), 55*time.Second)
	defer cancel()
	return f.Handle(ctx, nil)
}

// TestTheLastGoodConfigurationSurvivesColdStarts: whatever happens to the configuration, the last good one is run, warm or
// after a cold start, and everybody is notified about it; with none the function fails.
func TestTheLastGoodConfigurationSurvivesColdStarts(t *testing.T) {
	for name, c := range map[string]struct {
		happens func(i *installation)
		quiet   bool // while the function is warm: a moment's failure of AWS
	}{
		"broken over good": {happens: func(i *installation) { i.shelf.files[location] = "version: 1\nenvironments:\n\tprod:\n" }},
		"empty over good":  {happens: func(i *installation) { i.shelf.files[location] = "" }},
		"it is gone":       {happens: func(i *installation) { delete(i.shelf.files, location) }},
		"its file is gone": {happens: func(i *installation) { delete(i.shelf.files, "s3://bucket/ca.pem") }},
		"its file is denied": {happens: func(i *installation) {
			i.shelf.fails["s3://bucket/ca.pem"] = errors.New("access denied")
		}},
		"it is denied":    {happens: func(i *installation) { i.shelf.fails[location] = errors.New("access denied") }, quiet: true},
		"nothing answers": {happens: func(i *installation) { i.shelf.hangs = true }, quiet: true},
	} {
		for _, warm := range []bool{true, false} {
			t.Run(name+map[bool]string{true: ", warm", false: ", cold"}[warm], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					i := newInstallation(t)
					f := i.start()
					if s, err := i.round(f); err != nil || s.Endpoints != 1 || s.Configuration != "" {
						t.Fatalf("%+v, %v", s, err)
					}
					c.happens(i)
					if !warm {
						f = i.start()
					}
					for range 3 {
						s, err := i.round(f)
						if err != nil || s.Endpoints != 1 {
							t.Fatalf("%+v, %v; want the endpoint of the last good configuration", s, err)
						}
						stale := !strings.HasPrefix(name, "its file")
						if (s.Configuration != "") != stale {
							t.Errorf("the result says %q of the configuration", s.Configuration)
						}
						if stale && !strings.Contains(i.log.String(), "level=ERROR") {
							t.Error("no error in the log")
						}
					}
					i.heard(!c.quiet || !warm)
				})
			})
		}
		t.Run(name+", with none before", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := newInstallation(t)
				c.happens(i)
				f := i.start()
				for range 2 {
					if s, err := i.round(f); err == nil && !strings.HasPrefix(name, "its file") {
						t.Errorf("%+v, want an error: nothing is monitored", s)
					}
				}
				i.heard(true)
			})
		})
	}
}

// heard expects one critical config-invalid alert, and the figure of it; or none.
func (i *installation) heard(want bool) {
	i.t.Helper()
	alerts := 0
	for _, m := range i.inbox.messages {
		if m.Attributes["code"] == string(finding.ConfigInvalid) && m.Attributes["event"] == "opened" && m.Attributes["severity"] == "critical" {
			alerts++
		}
	}
	if want != (alerts == 1) || alerts > 1 {
		i.t.Errorf("%d alerts, want one: %v", alerts, want)
	}
	figured := false
	for _, d := range i.gauge.data {
		figured = figured || d.Name == metric.Findings && d.Value > 0 && d.Dimensions[len(d.Dimensions)-1].Value == "critical"
	}
	if want && !figured {
		i.t.Error("no figure of it")
	}
}

// TestTheTableIsAHelpOnly: a table that refuses or does not answer costs nothing while the configuration is good, and fails the
// function where it is not.
func TestTheTableIsAHelpOnly(t *testing.T) {
	for name, v := range map[string]*vault{"denied": {denied: true}, "no answer": {hangs: true}, "nonsense": {data: []byte("nonsense")}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := newInstallation(t)
				i.vault = v
				f := i.start()
				for range 2 {
					if s, err := i.round(f); err != nil || s.Endpoints != 1 {
						t.Errorf("%+v, %v; want a round as any", s, err)
					}
				}
				v.data = []byte("nonsense")
				i.shelf.files[location] = "?"
				if s, err := i.round(i.start()); err == nil {
					t.Errorf("%+v, want an error: nothing is monitored", s)
				}
			})
		})
	}
}

// TestAGoodConfigurationIsKeptOnce: not in every round, and again when it has changed; a broken one never replaces it.
func TestAGoodConfigurationIsKeptOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newInstallation(t)
		f := i.start()
		for _, step := range []struct {
			text string
			want int
		}{
			{good, 1}, {good, 1}, {good + "      - {name: b, url: https://b.invalid}\n", 2}, {"?", 2}, {good + "surplus: 1\n", 2}, {good, 3},
		} {
			i.shelf.files[location] = step.text
			if _, err := i.round(f); err != nil {
				t.Fatal(err)
			}
			if i.vault.saves != step.want {
				t.Errorf("after %q: kept %d times, want %d", step.text, i.vault.saves, step.want)
			}
		}
	})
}

// TestALargeConfigurationIsKeptWithoutItsManifests, since an item of the table holds 400 KB.
func TestALargeConfigurationIsKeptWithoutItsManifests(t *testing.T) {
	noise := make([]byte, 1<<20)
	_, _ = rand.Read(noise)
	s := &snapshot{Location: location, Single: map[string][]byte{location: []byte(good)}, Listed: map[string][]source.File{"k8s/": {{Name: "a", Data: noise}}}}
	data, err := s.encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := decodeSnapshot(data)
	if err != nil || string(back.Single[location]) != good || len(back.Listed) != 0 {
		t.Errorf("%d files and %d lists, %v", len(back.Single), len(back.Listed), err)
	}
}

// TestAnotherConfigurationIsNotTheLastGoodOne: a function that was pointed at another configuration does not run the one from before.
func TestAnotherConfigurationIsNotTheLastGoodOne(t *testing.T) {
	i := newInstallation(t)
	load := func(from string) (round.Request, error) {
		l := &loader{reader: i.shelf, location: from, now: time.Now, keeper: i.vault}
		return l.load(t.Context())
	}
	if _, err := load(location); err != nil || i.vault.saves != 1 {
		t.Fatalf("saved %d times, %v", i.vault.saves, err)
	}
	const other = "s3://bucket/other.yaml"
	i.shelf.files[location], i.shelf.files[other] = "version: 2\n", "version: 2\n"
	if q, err := load(other); err == nil || len(q.Config.Endpoints) > 0 {
		t.Errorf("the other one, broken: %d endpoints are monitored, %v", len(q.Config.Endpoints), err)
	}
	if q, err := load(location); err != nil || len(q.Config.Endpoints) != 1 || q.ConfigOf.IsZero() {
		t.Errorf("the same one, broken: %d endpoints are monitored, %v", len(q.Config.Endpoints), err)
	}
}
