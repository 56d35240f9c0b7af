package boot

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	awscloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"

	"certdrift/internal/alert"
	"certdrift/internal/awsio/bus"
	"certdrift/internal/awsio/cloudwatch"
	"certdrift/internal/awsio/invoke"
	"certdrift/internal/awsio/sns"
	"certdrift/internal/awsio/stack"
	"certdrift/internal/awsio/state"
	"certdrift/internal/awsio/trail"
	"certdrift/internal/config"
	"certdrift/internal/fanout"
	"certdrift/internal/incident"
	"certdrift/internal/lambda"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/probe"
	"certdrift/internal/round"
	"certdrift/internal/target"
	"certdrift/internal/trust"
)

// settling is the interval between the rounds after a change.
const settling = 15 * time.Second

// probeReadsStack is how often probe reads the stack; inspect does in every round.
const probeReadsStack = time.Hour

// function is what every Lambda function starts with.
type function struct {
	env     Env
	cloud   *cloud
	log     *slog.Logger
	loader  *loader
	runners *Runners
}

// NewLogger returns a function's logger, in Lambda's own format and level.
func NewLogger() *slog.Logger { return slog.New(lambda.Bounded(lambdacontext.NewLogger().Handler())) }

func start(ctx context.Context, getenv func(string) string) (*function, error) {
	collectLess(getenv)
	env, err := ReadEnv(getenv)
	if err != nil {
		return nil, err
	}
	cloud, err := newCloud(ctx)
	if err != nil {
		return nil, err
	}
	logger := NewLogger()
	loader := &loader{reader: cloud.reader(), location: env.Config, log: logger, now: now}
	return &function{env, cloud, logger, loader, &Runners{
		Now: now, Stores: &trust.Stores{}, Inspector: cloud.inspector(), RuntimeAPI: env.RuntimeAPI, Log: logger,
	}}, nil
}

// readAlertPath has rounds check who receives alerts.
func (f *function) readAlertPath() {
	f.runners.AlertPath = f.cloud.alertPath(f.env.Topic, f.env.ChatTopic, f.env.Expected)
}

// Probe returns the function that probes every endpoint. It reads load balancers only to find the cause of a problem.
func Probe(ctx context.Context, getenv func(string) string) (*lambda.Function, error) {
	f, err := start(ctx, getenv)
	if err != nil {
		return nil, err
	}
	// inspect checks whether alerts arrive. Whether somebody disabled inspect is checked here, now and then.
	f.runners.Stack = f.cloud.stack(f.env, probeReadsStack)
	if f.env.Worker != "" {
		worker, err := invoke.New(ctx, f.cloud.base, f.env.Worker)
		if err != nil {
			return nil, fmt.Errorf("reading the environment: CERTDRIFT_WORKER_ARN: %w", err)
		}
		f.runners.Invoke, f.runners.Workers = worker.Invoke, f.env.Workers
	}
	return f.monitor("probe", round.ListenersOnProblem), nil
}

// Worker returns the function that probes for the probe function. It makes no AWS client and reads no configuration.
func Worker(getenv func(string) string) *fanout.Worker {
	collectLess(getenv)
	logger := NewLogger()
	runners := &Runners{Now: now, Stores: &trust.Stores{}, RuntimeAPI: getenv("AWS_LAMBDA_RUNTIME_API"), Log: logger}
	return &fanout.Worker{Log: logger, Probe: func(ctx context.Context, revocation string, endpoints []target.Endpoint) []observation.Endpoint {
		return runners.prober(policy.RevocationMode(revocation)).Probe(ctx, endpoints)
	}}
}

// Inspect returns the function that compares listeners with what is declared and served.
func Inspect(ctx context.Context, getenv func(string) string) (*lambda.Function, error) {
	f, err := start(ctx, getenv)
	if err != nil {
		return nil, err
	}
	f.readAlertPath()
	f.runners.Stack = f.cloud.stack(f.env, 0)
	return f.monitor("inspect", round.Listeners), nil
}

// monitor returns a function that tracks incidents and alerts.
func (f *function) monitor(name string, depth round.Depth) *lambda.Function {
	f.runners.OnSchedule = true
	f.runners.History, f.runners.Publisher, f.runners.Heartbeat = f.cloud.historian, f.cloud.publisher(name, f.env), probe.Heartbeat{RuntimeAPI: f.env.RuntimeAPI}.Call
	if f.env.Table != "" {
		f.loader.keeper = state.NewConfiguration(dynamodb.NewFromConfig(f.cloud.base), f.env.Table)
	}
	return lambda.New(lambda.Parts{
		Runner: f.runners.For, Ignored: f.runners.Publisher.Ignored, Load: f.loader.load, Depth: depth, Region: f.cloud.base.Region, Log: f.log, LogHealthy: f.env.LogHealthy, Now: now,
		Again: settling, Wait: Wait, Account: f.cloud.own,
	})
}

// Verify returns the gate after a deployment. answer makes what reports to CodeDeploy: it is passed in, so that only the
// function that needs CodeDeploy's client links it.
func Verify(ctx context.Context, getenv func(string) string, answer func(aws.Config) func(ctx context.Context, deployment, execution string, succeeded bool) error) (*lambda.Verifier, error) {
	f, err := start(ctx, getenv)
	if err != nil {
		return nil, err
	}
	f.readAlertPath()
	f.runners.History = f.cloud.historian
	return lambda.NewVerifier(lambda.VerifyParts{
		Load: f.loader.load, Round: f.runners.run, Answer: answer(f.cloud.base), Environments: f.env.Environments, Log: f.log, Now: now, Pause: Wait,
	}), nil
}

// Widget returns the function behind the dashboard's inventory.
func Widget(ctx context.Context, getenv func(string) string) (*lambda.Widget, error) {
	f, err := start(ctx, getenv)
	if err != nil {
		return nil, err
	}
	f.readAlertPath()
	f.runners.OnSchedule = true // it shows what the alerts say
	p := lambda.WidgetParts{Load: f.loader.load, Log: f.log, Now: now, Round: func(ctx context.Context, q round.Request) (round.Result, error) {
		q.Depth = round.Listeners
		return f.runners.For(q.Config).Run(ctx, q)
	}}
	if f.env.Table != "" {
		table := f.cloud.incidents(f.env.Table)
		p.Incidents = func(ctx context.Context) ([]incident.Record, error) {
			loaded, err := table.Load(ctx)
			return loaded.Incidents, err
		}
	}
	return lambda.NewWidget(p), nil
}

// publisher returns what tracks incidents in the table and alerts the topics.
func (c *cloud) publisher(name string, env Env) *round.Publisher {
	p := &round.Publisher{
		Now: now, Function: name, By: env.Function, Gauge: cloudwatch.New(awscloudwatch.NewFromConfig(c.base), env.Namespace),
		Compose: alert.Options{RunbookURL: env.RunbookURL, Stack: env.Stack}, Store: round.NewMemory(),
	}
	if env.Table != "" {
		p.Store = c.incidents(env.Table)
	}
	client := awssns.NewFromConfig(c.base)
	if env.Topic != "" {
		p.Tell(sns.New(client, env.Topic))
	}
	if env.ChatTopic != "" {
		p.Tell(sns.NewChat(client, env.ChatTopic))
	}
	if env.Bus != "" {
		p.Tell(bus.New(eventbridge.NewFromConfig(c.base), env.Bus))
	}
	return p
}

// stack returns what reads certdrift's own stack, at most once per interval; nil where nothing of it is known.
func (c *cloud) stack(env Env, every time.Duration) StackReader {
	d := stack.Deployed{Rules: env.Rules, Alarms: env.Alarms, Inputs: env.AlarmInputs, Topic: env.Topic}
	if len(d.Rules)+len(d.Alarms)+len(d.Inputs) == 0 {
		return nil
	}
	return stack.New(eventbridge.NewFromConfig(c.base), awscloudwatch.NewFromConfig(c.base), d, every, now)
}

// incidents opens the functions' table.
func (c *cloud) incidents(table string) *state.Store {
	return state.New(dynamodb.NewFromConfig(c.base), table, now)
}

// historian looks up who changed what, in the accounts that the configuration names.
func (c *cloud) historian(cfg config.Config) Historian {
	return trail.New(trail.Options{
		Now: now, Roles: cfg.Scope.Roles,
		Client: func(region string, role target.Role) trail.Client {
			return cloudtrail.NewFromConfig(c.in(region, role))
		},
	})
}

// Wait waits, or returns when the context ends.
func Wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
