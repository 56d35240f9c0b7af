package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode"

	"certdrift/internal/config"
	"certdrift/internal/round"
	"certdrift/internal/trust"
)

// logLimit is the maximum size of a log event in bytes, of old.
const logLimit = 256 << 10

// hostile is a text that a terminal, a log viewer or a page would act on.
const hostile = "\x1b]0;title\a\x1b[31m\r\n::error::x \u202eevil\u202c \u009b1m <script>\"\\\x00\xff\u2028"

// joined is the error of many endpoints.
func joined(n int) error {
	var all []error
	for i := range n {
		all = append(all, fmt.Errorf("the incident %d: %s", i, hostile))
	}
	return errors.Join(all...)
}

// TestLogLinesAreBounded: whatever a record has, it is one line that CloudWatch Logs takes, and harmless where it is shown.
func TestLogLinesAreBounded(t *testing.T) {
	many := strings.Fields(strings.Repeat("arn:aws:acm:us-west-2:111122223333:certificate/x ", 50_000))
	counts := map[string]int{}
	for i := range 50_000 {
		counts[fmt.Sprint(hostile, i)] = i
	}
	for name, attrs := range map[string][]any{
		"an error of ten thousand endpoints": {"error", joined(10_000)},
		"a text without end":                 {"reason", strings.Repeat(hostile, 100_000)},
		"quotes, which JSON escapes":         {"reason", strings.Repeat("<\"", 1_000_000)},
		"a list":                             {"certificates", many},
		"a mapping":                          {"counts", counts},
		"a group":                            {slog.Group("g", "a", strings.Repeat("x", 1_000_000), "b", many)},
		"no JSON":                            {"f", func() {}},
		"a long key":                         {strings.Repeat("k", 1_000_000), 1},
		"all at once": func() (all []any) {
			for i := range 1000 {
				all = append(all, fmt.Sprint("k", i), strings.Repeat("<", 1<<20/1000*10))
			}
			return all
		}(),
	} {
		for _, handler := range []func(*bytes.Buffer) slog.Handler{
			func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
			func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		} {
			var out bytes.Buffer
			log := slog.New(Bounded(handler(&out)))
			log.Error("round failed: "+strings.Repeat(hostile, 10_000), attrs...)
			log.With(attrs...).WithGroup("x").Error("again", attrs...)
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			if len(lines) != 2 {
				t.Errorf("%s: %d lines for two records", name, len(lines))
			}
			for _, line := range lines {
				if len(line) > logLimit {
					t.Errorf("%s: a line of %d bytes", name, len(line))
				}
				if i := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
					t.Errorf("%s: an invisible character: %q", name, line[max(0, i-20):i+5])
				}
			}
		}
	}
}

// TestSmallValuesAreLoggedAsTheyAre: the saved queries read lists and mappings.
func TestSmallValuesAreLoggedAsTheyAre(t *testing.T) {
	var out bytes.Buffer
	slog.New(Bounded(slog.NewJSONHandler(&out, nil))).Info("change", "codes", []string{"cert-expired"}, "findings", map[string]int{"critical": 1},
		"n", 7, "at", time.Unix(0, 0).UTC(), "by", "jané", "error", errors.New("one\ntwo"))
	var got struct {
		Codes    []string       `json:"codes"`
		Findings map[string]int `json:"findings"`
		N        int            `json:"n"`
		At       time.Time      `json:"at"`
		By       string         `json:"by"`
		Error    string         `json:"error"`
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != "{[cert-expired] map[critical:1] 7 1970-01-01 00:00:00 +0000 UTC jané one; two}" {
		t.Errorf("got %+v", got)
	}
}

// TestAnswersAreBounded: Lambda's answers name an error in a text of bounded length, and the error itself stays what it is.
func TestAnswersAreBounded(t *testing.T) {
	cause := errors.New("cause")
	broken := fmt.Errorf("%w: %w", cause, joined(10_000))
	function := New(Parts{
		Load: func(context.Context) (round.Request, error) { return round.Request{}, broken },
		Runner: func(config.Config) *round.Runner {
			return &round.Runner{Now: time.Now, Prober: &quiet{}, Roots: (&trust.Stores{}).Get}
		},
		Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	_, runErr := function.Handle(t.Context(), []byte("{}"))
	verifier := NewVerifier(VerifyParts{Load: func(context.Context) (round.Request, error) { return round.Request{}, broken }, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	_, verifyErr := verifier.Handle(t.Context(), []byte("{}"))
	widget := NewWidget(WidgetParts{Load: func(context.Context) (round.Request, error) { return round.Request{}, broken }, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	_, widgetErr := widget.Handle(t.Context(), []byte("{}"))
	for name, err := range map[string]error{"a round": runErr, "verify": verifyErr, "widget": widgetErr} {
		if !errors.Is(err, cause) || len(err.Error()) > logLimit || strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%s: an error of %d bytes: %.200q", name, len(fmt.Sprint(err)), fmt.Sprint(err))
		}
	}
	summary, err := function.Handle(t.Context(), []byte(`{"source": "`+strings.Repeat("x", 5<<20)))
	if err != nil || len(summary.Reason) > logLimit {
		t.Errorf("a reason of %d bytes, %v", len(summary.Reason), err)
	}
}
