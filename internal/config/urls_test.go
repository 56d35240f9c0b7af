package config

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"certdrift/internal/target"
)

func TestFromURLs(t *testing.T) {
	endpoints, faults := FromURLs([]string{
		"example.org", "example.org:8443", "localhost:8443/x", "[::1]:8443", "192.0.2.1", "https://example.org",
		"https://user:hunter2@secret.example.org/", "tls://example.org:5671", "HTTP://Example.ORG",
	}, URLOptions{ConnectTo: []string{"127.0.0.1:1"}, CAFiles: []string{"ca.pem"}, Timeout: time.Second, ReadFile: beside(t)})
	if len(faults) > 0 {
		t.Fatal(list(faults))
	}
	var got []string
	for _, e := range endpoints {
		got = append(got, fmt.Sprintf("%s %s %d", e.Key(), e.Host, e.Port))
		if e.Timeout != time.Second || len(e.ConnectTo) != 1 || len(e.Trust.CAs) != 1 || e.Trust.Roots != target.Mozilla || e.Name != e.URL {
			t.Errorf("%+v", e)
		}
	}
	want := []string{
		"default/https://example.org example.org 443", "default/https://example.org:8443 example.org 8443",
		"default/https://localhost:8443/x localhost 8443", "default/https://[::1]:8443 ::1 8443",
		"default/https://192.0.2.1 192.0.2.1 443", "default/https://secret.example.org/ secret.example.org 443",
		"default/tls://example.org:5671 example.org 5671", "default/http://example.org example.org 80",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if secret := endpoints[5].Request; secret.Username.Reveal() != "user" || secret.Password.Reveal() != "hunter2" {
		t.Error("the credentials were lost")
	}
}

func TestFromURLsNamesWhatIsWrong(t *testing.T) {
	endpoints, faults := FromURLs([]string{
		"https://good.example.org", "ftp://user:hunter2@example.org", "::1", "https://a:b@hunter2:x@y z/", "",
	}, URLOptions{})
	if len(endpoints) != 1 || len(faults) != 4 {
		t.Fatalf("%d endpoints, faults:\n%s", len(endpoints), list(faults))
	}
	for _, f := range faults {
		if f.Endpoint == "" && !strings.Contains(f.Message, `""`) || f.Hint == "" || strings.Contains(fmt.Sprint(f), "user:") {
			t.Errorf("%+v", f)
		}
	}
	_, faults = FromURLs([]string{"https://good.example.org"}, URLOptions{
		ConnectTo: []string{"nowhere"}, CAFiles: []string{"ca.pem"}, Timeout: time.Hour,
	})
	if len(faults) != 3 {
		t.Errorf("faults:\n%s", list(faults))
	}
	for _, f := range faults {
		if f.Endpoint != "" {
			t.Errorf("a fault of all URLs has an endpoint: %+v", f)
		}
	}
}
