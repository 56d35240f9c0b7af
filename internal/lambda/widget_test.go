package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/observation"
	"certdrift/internal/round"
	"certdrift/internal/target"
)

// widgetOf is a widget whose rounds take a while; rounds counts them.
func widgetOf(rounds *int, takes time.Duration, incidents error) *Widget {
	return NewWidget(WidgetParts{
		Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Load:      func(context.Context) (round.Request, error) { return round.Request{}, nil },
		Incidents: func(context.Context) ([]incident.Record, error) { return nil, incidents },
		Round: func(ctx context.Context, _ round.Request) (round.Result, error) {
			*rounds++
			seen := observation.Endpoint{Target: target.Endpoint{Environment: "production", Name: "api", URL: "https://api.example.org/"}}
			select {
			case <-time.After(takes):
				seen.Probed = true
			case <-ctx.Done():
			}
			return round.Result{Round: observation.Round{Endpoints: []observation.Endpoint{seen}}, Conclusion: finding.Conclusion{Complete: seen.Probed}}, nil
		},
	})
}

func draw(t *testing.T, w *Widget, call string) string {
	t.Helper()
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{InvokedFunctionArn: "arn:aws:lambda:us-west-2:1:function:widget"})
	out, err := w.Handle(ctx, json.RawMessage(call))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWidgetDescribesItselfWithoutARound(t *testing.T) {
	rounds := 0
	out := draw(t, widgetOf(&rounds, 0, nil), `{"describe": true, "widgetContext": {}}`)
	if rounds != 0 || !strings.Contains(out, "| `sort` |") {
		t.Errorf("%d rounds, %q", rounds, out)
	}
}

func TestWidgetSortsWithoutAnotherRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rounds := 0
		w := widgetOf(&rounds, time.Second, nil)
		var group sync.WaitGroup
		for _, call := range []string{`{}`, `{"sort":"days"}`, `{"sort":"endpoint","environment":"production","widgetContext":{"theme":"dark"}}`} {
			group.Go(func() {
				if out := draw(t, w, call); !strings.Contains(out, ">api<") || !strings.Contains(out, "function:widget") {
					t.Errorf("%s: %s", call, out)
				}
			})
		}
		group.Wait()
		if rounds != 1 {
			t.Errorf("%d rounds for three calls at once", rounds)
		}
		time.Sleep(widgetReuse)
		if draw(t, w, `{}`); rounds != 2 {
			t.Errorf("what is older than a minute is shown again")
		}
	})
}

func TestWidgetAnswersInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rounds, start := 0, time.Now()
		out := draw(t, widgetOf(&rounds, time.Hour, errors.New("denied")), `{}`)
		if took := time.Since(start); took > widgetRound {
			t.Errorf("it took %s", took)
		}
		for _, want := range []string{"not checked", "incidents could not be read"} {
			if !strings.Contains(out, want) {
				t.Errorf("%q is not said: %s", want, out)
			}
		}
	})
}
