package alertpath

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestFilters(t *testing.T) {
	testAlert := map[string]string{"environment": "production", "severity": "critical", "code": "trial", "event": "opened", "sms": "send"}
	for policy, want := range map[string]bool{
		``:                          true,
		`{}`:                        true,
		`{"severity":["critical"]}`: true,
		`{"severity":["warning"]}`:  false,
		`{"severity":["critical",{"exists":false}],"sms":["send",{"exists":false}]}`: true,
		`{"environment":["staging"]}`:                                       false,
		`{"environment":[{"prefix":"prod"}]}`:                               true,
		`{"environment":[{"suffix":"ing"}]}`:                                false,
		`{"environment":[{"equals-ignore-case":"PRODUCTION"}]}`:             true,
		`{"environment":[{"anything-but":["staging"]}]}`:                    true,
		`{"environment":[{"anything-but":"production"}]}`:                   false,
		`{"environment":[{"anything-but":{"prefix":"prod"}}]}`:              false,
		`{"environment":[{"wildcard":"pro*ion"}]}`:                          true,
		`{"environment":[{"wildcard":"*a*b*"}]}`:                            false,
		`{"team":["web"]}`:                                                  false,
		`{"team":[{"exists":false}]}`:                                       true,
		`{"severity":[{"numeric":[">",1]}]}`:                                false,
		`{"$or":[{"severity":["warning"]},{"environment":["production"]}]}`: true,
		`{"$or":[{"severity":["warning"]},{"environment":["staging"]}]}`:    false,
		`{"environment":[{"operator-of-the-future":1}]}`:                    true,
	} {
		f, err := ParseFilter(policy)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Passes(testAlert); got != want {
			t.Errorf("%s lets a test alert through: %v, want %v", policy, got, want)
		}
	}
	for policy, want := range map[string]bool{
		`{"environment":[{"operator-of-the-future":1}]}`:                   true,
		`{"environment":[{"anything-but":{"newop":"x"}}]}`:                 true,
		`{"environment":[{"anything-but":{"prefix":["dev","test"]}}]}`:     true,
		`{"environment":[{"equals-ignore-case":["production"]}]}`:          true,
		`{"$or":[{"environment":[{"newop":"x"}]},{"code":["a"]}]}`:         true,
		`{"environment":[{"anything-but":{"prefix":"dev"}},"production"]}`: false,
		`{"severity":["critical",{"exists":false},{"numeric":[">",1]}]}`:   false,
	} {
		f, err := ParseFilter(policy)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Unclear(); got != want {
			t.Errorf("%s is unclear: %v, want %v", policy, got, want)
		}
		alerts := Alerts{Environments: []string{"production"}, Codes: []finding.Code{finding.CertExpired}, Critical: []finding.Code{finding.CertExpired}}
		if got := alerts.Judge([]observation.Subscription{{ARN: "arn:aws:sns:x", Protocol: "email", FilterPolicy: policy}})[0].State; want && got != Unknown {
			t.Errorf("%s makes its subscription %s", policy, got)
		}
	}
	if _, err := ParseFilter("{"); err == nil {
		t.Error("half a policy is read")
	}
}
