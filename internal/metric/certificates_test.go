package metric

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"certdrift/internal/observation"
)

// certificate is one for names, with so many days left.
func certificate(t *testing.T, daysLeft float64, common string, names ...string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	end := now.Add(time.Duration(daysLeft * float64(24*time.Hour))).Truncate(time.Second)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: end.Add(-100 * 24 * time.Hour), NotAfter: end,
		Subject: pkix.Name{CommonName: common}, DNSNames: names,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func certificateFigures(in Input) map[string]float64 {
	out := map[string]float64{}
	for name, value := range figures(Of(in)) {
		if key, ok := strings.CutPrefix(name, CertificateDays); ok {
			out[key] = value
		}
	}
	return out
}

func TestDaysOfCertificates(t *testing.T) {
	api, shared := certificate(t, 50.5, "", "api.example.org"), certificate(t, 20, "", "*.example.org", "example.org")
	in := Input{Function: "inspect", Now: now, Daily: true, PerCertificate: true, Round: observation.Round{
		Endpoints: []observation.Endpoint{
			probed("production", "api", api, api, certificate(t, -30, "", "api.example.org")), // half rolled out, and the old one is over
			probed("production", "ui", shared), probed("production", "www", shared), probed("staging", "ui", shared),
			probed("staging", "old", certificate(t, 3, "by its common name")),
			{Target: probed("production", "late").Target},
			probed("production", "malformed", []byte("no certificate")),
		},
		Certificates: []observation.Certificate{
			{ARN: "served", Chain: [][]byte{api}},
			{ARN: "sni", Chain: [][]byte{certificate(t, 70, "", "sni.example.org")}},
			{ARN: "record", Names: []string{"record.example.org"}, NotAfter: now.Add(-12 * time.Hour)},
			{ARN: "gone", Missing: true, Names: []string{"gone.example.org"}, NotAfter: now},
			{ARN: "denied", Unreadable: true},
		},
	}}
	want := map[string]float64{
		"{production api.example.org}": -30, "{production *.example.org}": 20, "{staging *.example.org}": 20,
		"{staging by its common name}": 3, "{none sni.example.org}": 70, "{none record.example.org}": -0.5,
	}
	if diff := cmp.Diff(want, certificateFigures(in)); diff != "" {
		t.Errorf("days (-want +got):\n%s", diff)
	}
	for name, change := range map[string]func(*Input){
		"nobody asks":         func(in *Input) { in.PerCertificate = false },
		"later in the day":    func(in *Input) { in.Daily = false },
		"an event narrowed":   func(in *Input) { in.Narrowed = true },
		"nothing is attached": func(in *Input) { in.Round = observation.Round{} },
	} {
		changed := in
		if change(&changed); len(certificateFigures(changed)) > 0 {
			t.Errorf("%s, and yet %v", name, certificateFigures(changed))
		}
	}
}

// However many certificates there are, and whatever they call themselves, the series are bounded and have good names.
func TestCertificatesAreBounded(t *testing.T) {
	in := Input{Function: "inspect", Now: now, Daily: true, PerCertificate: true}
	for i := range 3000 {
		in.Round.Certificates = append(in.Round.Certificates, observation.Certificate{
			Names: []string{fmt.Sprintf("n%d", i)}, NotAfter: now.Add(time.Duration(3000-i) * time.Hour),
		})
	}
	got := certificateFigures(in)
	if len(got) != MaxCertificates {
		t.Errorf("%d series", len(got))
	}
	if _, ok := got["{none n2999}"]; !ok {
		t.Error("the one that ends first has none")
	}
	in.Round.Certificates = []observation.Certificate{{Names: []string{"", ":\x00ü\u202e" + strings.Repeat("x", 400)}, NotAfter: now.Add(time.Hour)}, {NotAfter: now.Add(time.Hour)}}
	for name := range certificateFigures(in) {
		if len(name) > 300 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("a series is called %q", name)
		}
	}
}

func TestSeriesOfFailingEndpointsAreBounded(t *testing.T) {
	in := Input{Function: "probe", Now: now, WhileFailing: true}
	for i := range 500 {
		e := probed("production", fmt.Sprint(i))
		in.Round.Endpoints = append(in.Round.Endpoints, e)
		in.Findings = append(in.Findings, critical(e))
	}
	n := 0
	for name := range figures(Of(in)) {
		if strings.HasPrefix(name, EndpointUp+"{") {
			n++
		}
	}
	if n != MaxFailing {
		t.Errorf("%d endpoints have series", n)
	}
}
