package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"certdrift/internal/alert"
	"certdrift/internal/boot"
	"certdrift/internal/observation"
	"certdrift/internal/report"
	"certdrift/internal/round"
)

// Cloud is what commands reach of a deployed stack.
type Cloud struct {
	// Incidents opens the table that the functions keep incidents in.
	Incidents func(ctx context.Context, table string) (incidentStore, error)
	// Topic opens an SNS topic; chat reports that Amazon Q Developer in chat applications reads it.
	Topic func(ctx context.Context, arn string, chat bool) (alertTopic, error)
	// Bus opens an EventBridge bus in the region of a topic, or in the one that its own ARN names.
	Bus func(ctx context.Context, name, topicARN string) (alertBus, error)
}

// alertBus is where alerts go as events.
type alertBus interface {
	Send(ctx context.Context, m alert.Message) error
}

// incidentStore keeps incidents.
type incidentStore interface {
	round.Store
	// Broken are the items that the last Load could not read.
	Broken() []string
}

// alertTopic is where alerts go.
type alertTopic interface {
	Send(ctx context.Context, m alert.Message) error
	// Observe reads who is subscribed.
	Observe(ctx context.Context) ([]observation.Topic, []observation.ObserveError)
}

// deployed is the product's Cloud: the SDK's own configuration says which account.
func deployed() Cloud {
	return Cloud{
		Incidents: func(ctx context.Context, table string) (incidentStore, error) { return boot.Incidents(ctx, table) },
		Topic: func(ctx context.Context, arn string, chat bool) (alertTopic, error) {
			return boot.OpenAlertPath(ctx, arn, chat)
		},
		Bus: func(ctx context.Context, name, topicARN string) (alertBus, error) {
			return boot.OpenBus(ctx, name, topicARN)
		},
	}
}

// textOrJSON is the --format of the commands that write no report.
type textOrJSON struct{ name string }

func (f *textOrJSON) flag(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&f.name, "format", "text", "output format: text or json")
	complete(cmd, "format", "text\tfor people", "json\tone document")
}

func (f *textOrJSON) check() error {
	if f.name != "text" && f.name != "json" {
		return usage(oneOf(f.name, []string{"text", "json"}), "unknown format %q", f.name)
	}
	return nil
}

// writeJSON writes one indented document.
func (a *App) writeJSON(v any) error {
	if err := report.EncodeJSON(a.Stdout, v); err != nil {
		return fmt.Errorf("writing the document: %w", err)
	}
	return nil
}

// setting is a flag's value, or else the environment's, as the functions have it.
func (a *App) setting(flag, variable string) string {
	if flag != "" {
		return flag
	}
	return a.Getenv(variable)
}
