package e2e

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const memberRole = "arn:aws:iam::444455556666:role/certdrift-member"

// The stack is in one account, the load balancers and their certificates in another: inspect assumes the role that the template's
// parameter allows.
func TestAMemberAccount(t *testing.T) {
	enabled(t)
	t.Parallel()
	f := startFront(t, startMoto(t))
	cfg := asTester(f.url)
	w := makeWorld(t, asMember(t, cfg))
	w.roles = []string{memberRole}
	w.theFour(t)
	s := deploy(t, f, w, "MemberRoleArns="+memberRole)
	in := subscribe(t, cfg, s.Outputs["TopicArn"], "subscriber")

	if probe, inspect := s.round(t); probe.Verdict != "pass" || inspect.Verdict != "pass" || inspect.Listeners != 4 {
		t.Errorf("all is well in the member account: probe %+v, inspect %+v", probe, inspect)
	}
	if !f.guard.made(s.inspect.name, "sts:AssumeRole") {
		t.Error("inspect assumes no role")
	}
	const balancer = "a22e1d63f8ea522f9ac4b17d603e9f82"
	w.attach(t, balancer, w.stale["production"])
	if _, inspect := s.round(t); inspect.Verdict != "fail" {
		t.Errorf("a wrong certificate in the member account: %+v", inspect)
	}
	alerts := in.take(t)
	if len(alerts) != 1 || len(about(alerts, "environment=production", "severity=critical", "code=drift-attached", "event=opened")) != 1 {
		t.Fatalf("a wrong certificate in the member account gives %v, want one alert", alerts)
	}
	if !strings.Contains(alerts[0].body, "arn:aws:iam::444455556666:server-certificate/web-monitoring-2017") || !strings.Contains(alerts[0].body, balancer) {
		t.Errorf("the alert does not say what is where: %s", alerts[0].body)
	}
	w.attach(t, balancer, w.right["production"])
	if messages := settle(t, s, in, 3); len(messages) != 1 || len(about(messages, "event=recovered")) != 1 {
		t.Errorf("after the repair came %v, want one recovery", messages)
	}
	for _, refused := range f.guard.refusals() {
		t.Errorf("a function makes a call that its role does not allow: %s", refused)
	}
	// A new instance, since the credentials of the other account are kept.
	inspect := s.start(t, cfg, s.inspect.name, s.inspect.dir)
	f.guard.forbid(inspect.name, "sts:AssumeRole")
	if got := inspect.mustInvoke(t, s.bus.tick(t, "inspect-schedule")); got.Verdict != "incomplete" {
		t.Errorf("inspect may not assume the role of the member account: %+v", got)
	}
	records := strings.Join(remembered(t, cfg, s.Outputs["TableName"]), "\n")
	if !strings.Contains(records, "certdrift lacks the permission sts:AssumeRole") {
		t.Errorf("no finding about the missing permission: %s", records)
	}
}

// asMember is the tester in the member account.
func asMember(t *testing.T, cfg aws.Config) aws.Config {
	t.Helper()
	out, err := sts.NewFromConfig(cfg).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(memberRole), RoleSessionName: aws.String("tester")})
	check(t, err)
	member := cfg.Copy()
	c := out.Credentials
	member.Credentials = credentials.NewStaticCredentialsProvider(aws.ToString(c.AccessKeyId), aws.ToString(c.SecretAccessKey), aws.ToString(c.SessionToken))
	return member
}
