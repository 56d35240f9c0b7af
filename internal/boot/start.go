package boot

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	awscloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"

	"certdrift/internal/alert"
	"certdrift/internal/awsio/bus"
	"certdrift/internal/awsio/cloudwatch"
	"certdrift/internal/awsio/sns"
	"certdrift/internal/awsio/state"
	"certdrift/internal/awsio/trail"
	"certdrift/internal/config"
	"certdrift/internal/probe"
	"certdrift/internal/round"
	"certdrift/internal/target"
	"certdrift/internal/trust"
)

// settling is the distance between the rounds after a change.
const settling = 15 * time.Second

// Probe makes the function that probes every endpoint. It reads load balancers only to name the cause of trouble.
func Probe(ctx context.Context, getenv func(string) string) (*Function, error) {
	return function(ctx, "probe", round.ListenersOnTrouble, getenv)
}

// Inspect makes the function that holds listeners against what is declared and served.
func Inspect(ctx context.Context, getenv func(string) string) (*Function, error) {
	return function(ctx, "inspect", round.Listeners, getenv)
}

func function(ctx context.Context, name string, depth round.Depth, getenv func(string) string) (*Function, error) {
	env, err := ReadEnv(getenv)
	if err != nil {
		return nil, err
	}
	cloud, err := newCloud(ctx)
	if err != nil {
		return nil, err
	}
	stores := &trust.Stores{}
	logger := lambdacontext.NewLogger() // in Lambda's own form and level
	load := &loader{reader: cloud.reader(), location: env.Config, now: time.Now}
	probers := probers{stores: stores}
	inspector, publisher := cloud.inspector(), cloud.publisher(name, env)
	path := cloud.alertPath("", "", nil)
	if depth == round.Listeners { // one function is enough: the other runs each minute
		path = cloud.alertPath(env.Topic, env.ChatTopic, env.Expected)
	}
	return New(Parts{
		Runner: func(c config.Config) *round.Runner {
			return &round.Runner{
				Now: time.Now, Prober: probers.get(c), Inspector: inspector, History: cloud.historian(c), AlertPath: path,
				Roots: stores.Get, Publisher: publisher, Log: logger, Heartbeat: probe.Call,
			}
		},
		Ignored: publisher.Ignored,
		Load:    load.load, Depth: depth, Region: cloud.base.Region, Log: logger, Now: time.Now, Again: settling, Wait: wait,
		Account: cloud.own,
	}), nil
}

// publisher tracks in the table and tells the topics.
func (c *cloud) publisher(name string, env Env) *round.Publisher {
	p := &round.Publisher{
		Now: time.Now, Function: name, By: env.Function, Gauge: cloudwatch.New(awscloudwatch.NewFromConfig(c.base), env.Namespace),
		Compose: alert.Options{RunbookURL: env.RunbookURL, Stack: env.Stack}, Store: round.NewMemory(),
	}
	if env.Table != "" {
		p.Store = state.New(dynamodb.NewFromConfig(c.base), env.Table, time.Now)
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

// historian looks up who changed what, in the accounts that the configuration names.
func (c *cloud) historian(cfg config.Config) *trail.Trail {
	return trail.New(trail.Options{
		Now: time.Now, Roles: cfg.Scope.Roles,
		Client: func(region string, role target.Role) trail.Client {
			return cloudtrail.NewFromConfig(c.in(region, role))
		},
	})
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
