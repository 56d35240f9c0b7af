package boot

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"certdrift/internal/alert"
	"certdrift/internal/arn"
	"certdrift/internal/awsio/bus"
	"certdrift/internal/awsio/sns"
	"certdrift/internal/awsio/state"
	"certdrift/internal/target"
)

// Incidents opens the functions' table for an operator.
func Incidents(ctx context.Context, table string) (*state.Store, error) {
	cloud, err := newCloud(ctx)
	if err != nil {
		return nil, err
	}
	return cloud.incidents(table), nil
}

// AlertPath is a topic as an operator tests it: its subscriptions, and a message to it.
type AlertPath struct {
	*sns.Path
	topic *sns.Topic
}

// OpenAlertPath opens a topic in the region that its ARN names. chat is set where Amazon Q Developer reads it.
func OpenAlertPath(ctx context.Context, arn string, chat bool) (*AlertPath, error) {
	if sns.RegionOf(arn) == "" {
		return nil, fmt.Errorf("opening the topic %q: not an ARN such as arn:aws:sns:us-west-2:111122223333:certdrift-alerts", arn)
	}
	cloud, err := newCloud(ctx)
	if err != nil {
		return nil, err
	}
	client := cloud.topics(sns.RegionOf(arn))
	p := &AlertPath{Path: sns.NewPath(cloud.topics, sns.Place{ARN: arn, Chat: chat}), topic: sns.New(client, arn)}
	if chat {
		p.topic = sns.NewChat(client, arn)
	}
	return p, nil
}

// Send publishes a message.
func (p *AlertPath) Send(ctx context.Context, m alert.Message) error { return p.topic.Send(ctx, m) }

// OpenBus opens an event bus: in the region that its ARN names, or where the topic is.
func OpenBus(ctx context.Context, name, topicARN string) (*bus.Bus, error) {
	cloud, err := newCloud(ctx)
	if err != nil {
		return nil, err
	}
	region := sns.RegionOf(topicARN)
	if a, ok := arn.Split(name); ok {
		region = a.Region
	}
	return bus.New(eventbridge.NewFromConfig(cloud.in(region, target.Role{})), name), nil
}
