// Package boot puts the parts together: once per cold start for a function, once per command on the command line. It is
// wiring; what a round does stands in package round.
package boot

import (
	"fmt"
	"strings"
)

// Env is what the template tells a function.
type Env struct {
	// Config is where the configuration lives: a path in the deployment package, s3://BUCKET/KEY or ssm:///NAME.
	Config string
	// Table keeps the incidents; empty: they are kept in memory, for as long as the function is warm.
	Table string
	// Topic and ChatTopic are SNS topic ARNs; empty for none.
	Topic, ChatTopic string
	// Expected are the protocols of the subscriptions that were deployed with the topic, each as often as it should occur.
	Expected []string
	// Bus is the EventBridge bus that every notice goes to as well; empty for none.
	Bus        string
	Namespace  string
	Stack      string
	RunbookURL string
	// Function is the name that Lambda gave the function.
	Function string
}

// ReadEnv reads the environment; every fault is named at once.
func ReadEnv(get func(string) string) (Env, error) {
	or := func(name, fallback string) string {
		if v := strings.TrimSpace(get(name)); v != "" {
			return v
		}
		return fallback
	}
	env := Env{
		Config: or("CERTDRIFT_CONFIG", "certdrift.yaml"), Table: or("CERTDRIFT_TABLE", ""),
		Topic: or("CERTDRIFT_TOPIC_ARN", ""), ChatTopic: or("CERTDRIFT_CHAT_TOPIC_ARN", ""),
		Expected:  split(get("CERTDRIFT_SUBSCRIPTIONS")),
		Bus:       or("CERTDRIFT_EVENT_BUS", ""),
		Namespace: or("CERTDRIFT_NAMESPACE", "Certdrift"), Stack: or("CERTDRIFT_STACK", "certdrift"),
		RunbookURL: or("CERTDRIFT_RUNBOOK_URL", ""), Function: or("AWS_LAMBDA_FUNCTION_NAME", "certdrift"),
	}
	var faults []string
	for _, name := range []string{"CERTDRIFT_TOPIC_ARN", "CERTDRIFT_CHAT_TOPIC_ARN"} {
		if arn := or(name, ""); arn != "" && !strings.HasPrefix(arn, "arn:") {
			faults = append(faults, fmt.Sprintf("%s is %q: it takes the ARN of an SNS topic", name, arn))
		}
	}
	if len(faults) > 0 {
		return Env{}, fmt.Errorf("reading the environment: %s", strings.Join(faults, "; "))
	}
	return env, nil
}
