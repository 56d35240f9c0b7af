// Package boot puts the parts together: once per cold start for a function, once per command on the command line. It is
// wiring; what a round does stands in package round.
package boot

import (
	"fmt"
	"log/slog"
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
	Namespace        string
	Stack            string
	RunbookURL       string
	Level            slog.Level
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
		Namespace: or("CERTDRIFT_NAMESPACE", "Certdrift"), Stack: or("CERTDRIFT_STACK", "certdrift"),
		RunbookURL: or("CERTDRIFT_RUNBOOK_URL", ""), Function: or("AWS_LAMBDA_FUNCTION_NAME", "certdrift"),
	}
	var faults []string
	if err := env.Level.UnmarshalText([]byte(or("CERTDRIFT_LOG_LEVEL", "INFO"))); err != nil {
		faults = append(faults, fmt.Sprintf("CERTDRIFT_LOG_LEVEL is %q: it takes debug, info, warn or error", get("CERTDRIFT_LOG_LEVEL")))
	}
	for name, arn := range map[string]string{"CERTDRIFT_TOPIC_ARN": env.Topic, "CERTDRIFT_CHAT_TOPIC_ARN": env.ChatTopic} {
		if arn != "" && !strings.HasPrefix(arn, "arn:") {
			faults = append(faults, fmt.Sprintf("%s is %q: it takes the ARN of an SNS topic", name, arn))
		}
	}
	if len(faults) > 0 {
		return Env{}, fmt.Errorf("reading the environment: %s", strings.Join(faults, "; "))
	}
	return env, nil
}
