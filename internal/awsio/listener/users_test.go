package listener_test

import (
	"slices"
	"strings"
	"testing"

	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"

	"certdrift/internal/observation"
	"certdrift/internal/sim/account"
	"certdrift/internal/target"
)

func TestUsers(t *testing.T) {
	w := newWorld(t)
	w.fill()
	member := w.other.AddCertificate("33333333-0000-4000-8000-000000000003", w.pair)
	w.other.AddLoadBalancer(account.LoadBalancer{Kind: observation.Classic, Name: "far", Listeners: []account.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []string{member}}}})
	roles := target.Scope{Roles: []target.Role{{ARN: otherRole}}}
	for name, tt := range map[string]struct {
		scope target.Scope
		arn   string
		want  []string // names
		known bool
		fails bool
	}{
		"in use":                 {arn: w.acm2, want: []string{"web", "tcp"}, known: true},
		"of another account":     {scope: roles, arn: member, want: []string{"far"}, known: true},
		"behind no role":         {arn: member, fails: true},
		"not there":              {arn: w.acm + "0", known: false},
		"an IAM certificate":     {arn: w.iam, fails: true},
		"no ARN":                 {arn: "web", fails: true},
		"of a region not walked": {arn: strings.Replace(w.acm, "us-west-2", "us-east-1", 1), known: false},
	} {
		t.Run(name, func(t *testing.T) {
			users, known, err := w.inspector.Users(t.Context(), tt.scope, tt.arn)
			if known != tt.known || (err != nil) != tt.fails || len(users) != len(tt.want) {
				t.Fatalf("%v, known %v, %v", users, known, err)
			}
			for _, name := range tt.want {
				if !slices.ContainsFunc(users, func(arn string) bool { return slices.Contains(strings.Split(arn, "/"), name) }) {
					t.Errorf("%v lacks %s", users, name)
				}
			}
		})
	}
}

// TestUsersFailures: ACM lists what else uses a certificate; and it may refuse.
func TestUsersFailures(t *testing.T) {
	w := newWorld(t)
	w.west.Deny("acm:DescribeCertificate")
	if _, _, err := w.inspector.Users(t.Context(), target.Scope{}, w.acm); err == nil || !strings.Contains(err.Error(), w.acm) {
		t.Errorf("refused: %v", err)
	}
	w.west.Heal()
	w.west.EditCertificate(w.acm, func(d *acmtypes.CertificateDetail) { d.Status = acmtypes.CertificateStatusRevoked })
	if users, known, err := w.inspector.Users(t.Context(), target.Scope{}, w.acm); err != nil || !known || len(users) > 0 {
		t.Errorf("revoked and in nobody's use: %v, %v, %v", users, known, err)
	}
}
