// Package boot puts the parts together: once per cold start for a function, once per command on the command line. It is
// wiring: settings, AWS clients, and the one place that builds the round's runner (Runners). What a round does is in package
// round, what a function does in package lambda.
package boot

import (
	"fmt"
	"strconv"
	"strings"

	"certdrift/internal/awsio/stack"
)

// Env is a function's environment, as the template sets it.
type Env struct {
	// Config is the configuration's location: a path in the deployment package, s3://BUCKET/KEY or ssm:///NAME.
	Config string
	// Table holds the incidents; where it is empty they are kept in memory, for as long as the function is warm.
	Table string
	// Topic and ChatTopic are SNS topic ARNs; empty for none.
	Topic, ChatTopic string
	// Expected are the protocols of the subscriptions that were deployed with the topic, repeated for each subscription.
	Expected []string
	// Rules, Alarms and AlarmInputs are those that were deployed, by full names; none for a function that does not check them.
	Rules               []stack.Rule
	Alarms, AlarmInputs []string
	// Bus is the EventBridge bus that every notice goes to as well; empty for none.
	Bus        string
	Namespace  string
	Stack      string
	RunbookURL string
	// Function is the Lambda function's name.
	Function string
	// RuntimeAPI is the HOST:PORT of the Lambda Runtime API.
	RuntimeAPI string
	// Worker is the ARN of the function that probes for this one, Workers how often it is invoked at once; 0 for not at all.
	Worker  string
	Workers int
	// LogHealthy asks for a line in each round for healthy endpoints too.
	LogHealthy bool
	// Environments are what the verify function checks where its input names none; empty for all.
	Environments []string
}

// maxWorkers bounds the connections to Lambda: a function has 1,024 file descriptors.
const maxWorkers = 500

// ReadEnv reads the environment and names every error at once.
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
	env.RuntimeAPI = or("AWS_LAMBDA_RUNTIME_API", "")
	env.Environments = split(get("CERTDRIFT_VERIFY_ENVIRONMENTS"))
	var problems []string
	var err error
	if env.Rules, err = stack.ParseRules(get("CERTDRIFT_RULES"), env.Stack); err != nil {
		problems = append(problems, "CERTDRIFT_RULES: "+err.Error())
	}
	env.Alarms, env.AlarmInputs = ofStack(env.Stack, get("CERTDRIFT_ALARMS")), ofStack(env.Stack, get("CERTDRIFT_ALARM_INPUTS"))
	switch lines := or("CERTDRIFT_LOG_ENDPOINTS", "failing"); lines {
	case "failing", "all":
		env.LogHealthy = lines == "all"
	default:
		problems = append(problems, fmt.Sprintf("CERTDRIFT_LOG_ENDPOINTS is %q, neither failing nor all", lines))
	}
	for _, name := range []string{"CERTDRIFT_TOPIC_ARN", "CERTDRIFT_CHAT_TOPIC_ARN"} {
		if arn := or(name, ""); arn != "" && !strings.HasPrefix(arn, "arn:") {
			problems = append(problems, fmt.Sprintf("%s is %q, not the ARN of an SNS topic", name, arn))
		}
	}
	if env.Worker = or("CERTDRIFT_WORKER_ARN", ""); env.Worker != "" {
		if env.Workers, err = strconv.Atoi(or("CERTDRIFT_WORKERS", "")); err != nil || env.Workers < 1 || env.Workers > maxWorkers {
			problems = append(problems, fmt.Sprintf("CERTDRIFT_WORKERS is %q, not a number from 1 to %d", get("CERTDRIFT_WORKERS"), maxWorkers))
		}
	}
	if len(problems) > 0 {
		return Env{}, fmt.Errorf("reading the environment: %s", strings.Join(problems, "; "))
	}
	return env, nil
}

// ofStack returns full names: a stack's resources begin with its name.
func ofStack(name, list string) []string {
	all := split(list)
	for i := range all {
		all[i] = name + "-" + all[i]
	}
	return all
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
