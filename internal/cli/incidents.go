package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/prose"
	"certdrift/internal/round"
)

// incidents is `certdrift incidents`: its flags.
type incidents struct {
	app    *App
	table  string
	format textOrJSON
	all    bool
	by     string
	until  string
}

func (a *App) incidents() *cobra.Command {
	i := &incidents{app: a}
	cmd := &cobra.Command{
		Use:   "incidents",
		Short: "List the functions' incidents, acknowledge one, or close one",
		Example: `  certdrift incidents list --table certdrift-state
  certdrift incidents ack "production listener:…" --by jane --until 4h
  certdrift incidents close "production listener:…" --by jane`,
		Long: `Reads the DynamoDB table of a deployed stack (its output TableName), set with --table or CERTDRIFT_TABLE.

An acknowledged incident sends no more reminders until the given time, or for as long as it lasts; it alerts again if
it escalates. A closed incident reopens, and alerts, if the next round still finds its cause: to mute a known problem,
acknowledge it, or silence it in the configuration. KEY is an incident's key, or any part of it that is unique.

Exit status: 0 done, 2 usage error, 3 the table could not be read or written.`,
		RunE: group,
	}
	cmd.PersistentFlags().StringVar(&i.table, "table", "", "DynamoDB table `NAME` (default $CERTDRIFT_TABLE)")
	i.format.flag(cmd)
	cmd.AddCommand(i.list(), i.acknowledge(), i.close())
	for _, sub := range cmd.Commands() {
		sub.DisableFlagsInUseLine = true
	}
	return cmd
}

func (i *incidents) list() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List open incidents, the worst first", Example: "  certdrift incidents list --all --format json",
		Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return i.show(cmd.Context()) },
	}
	cmd.Flags().BoolVar(&i.all, "all", false, "include incidents closed in the last week and those waiting for confirmation")
	return cmd
}

func (i *incidents) acknowledge() *cobra.Command {
	cmd := &cobra.Command{
		Use: "ack KEY...", Short: "Acknowledge incidents: no more reminders", Example: `  certdrift incidents ack a1b2c3 --by jane --until 4h`,
		RunE: func(cmd *cobra.Command, args []string) error {
			now := i.app.Now()
			until, err := parseUntil(i.until, now)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return usage("see `certdrift incidents list`", "%s requires a KEY", cmd.CommandPath())
			}
			return i.change(cmd, args, func(r incident.Record) incident.Record { return incident.Acknowledge(r, i.by, now, until) })
		},
	}
	cmd.Flags().StringVar(&i.by, "by", "", "`NAME` of the person who acknowledges it (default $USER)")
	cmd.Flags().StringVar(&i.until, "until", "", "until `WHEN`: a duration (4h, 2d) or a time (2027-01-01T08:00:00Z); default: for as long as it lasts")
	return cmd
}

func (i *incidents) close() *cobra.Command {
	cmd := &cobra.Command{
		Use: "close KEY", Short: "Close an incident; it reopens if its cause is still found", Example: `  certdrift incidents close a1b2c3 --by jane`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("quote the key: it contains a space", "%s takes one KEY, but got %d", cmd.CommandPath(), len(args))
			}
			return i.change(cmd, args, func(r incident.Record) incident.Record { return incident.Close(r, i.by, i.app.Now()) })
		},
	}
	cmd.Flags().StringVar(&i.by, "by", "", "`NAME` of the person who closes it (default $USER)")
	return cmd
}

// parseUntil reads a duration from now or a time; zero for none.
func parseUntil(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	until, err := time.Parse(time.RFC3339, text)
	if d, durationErr := parseDuration(text); durationErr == nil {
		until, err = now.Add(d), nil
	}
	switch {
	case err != nil:
		return time.Time{}, usage("a duration such as 4h or 2d, or a time such as 2027-01-01T08:00:00Z", "invalid --until %q", text)
	case !until.After(now):
		return time.Time{}, usage("", "--until is in the past: %s", until.UTC().Format(time.RFC3339))
	}
	return until.UTC(), nil
}

func (i *incidents) store(ctx context.Context) (incidentStore, error) {
	if err := i.format.check(); err != nil {
		return nil, err
	}
	table := i.app.setting(i.table, "CERTDRIFT_TABLE")
	if table == "" {
		return nil, usage("use --table NAME or set CERTDRIFT_TABLE (the stack's output TableName)", "no table given")
	}
	store, err := i.app.Parts.Cloud.Incidents(ctx, table)
	if err != nil {
		return nil, fmt.Errorf("opening the table %q: %w", table, err)
	}
	return store, nil
}

func (i *incidents) show(ctx context.Context) error {
	store, err := i.store(ctx)
	if err != nil {
		return err
	}
	loaded, err := store.Load(ctx)
	if err != nil {
		return err
	}
	for _, id := range store.Broken() {
		fmt.Fprintf(i.app.Stderr, "certdrift: skipped the item %s, which cannot be read; the next round that finds its problem replaces it\n", finding.Quote(id))
	}
	shown := []incident.Record{}
	for _, r := range loaded.Incidents {
		if i.all || r.Open() {
			shown = append(shown, r)
		}
	}
	slices.SortStableFunc(shown, func(a, b incident.Record) int {
		return cmp.Or(-compareBool(a.Open(), b.Open()), cmp.Compare(b.Severity, a.Severity), a.First.Compare(b.First), cmp.Compare(a.Key, b.Key))
	})
	if i.format.name == "json" {
		return i.app.writeJSON(map[string]any{"schema": "certdrift.incidents/1", "incidents": shown})
	}
	for _, r := range shown {
		i.text(r)
	}
	open := 0
	for _, r := range shown {
		if r.Open() {
			open++
		}
	}
	fmt.Fprintf(i.app.Stdout, "%d open\n", open)
	return nil
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// text writes one incident in a few lines.
func (i *incidents) text(r incident.Record) {
	w, now := i.app.Stdout, i.app.Now()
	fmt.Fprintf(w, "%-8s %s  %s\n  key %s\n", strings.ToUpper(r.Severity.String()), clean(string(r.Code)), stage(r, now), clean(r.Key))
	if len(r.Findings) > 0 {
		fmt.Fprintf(w, "  %s\n", clean(r.Findings[0].Summary))
	}
	if len(r.Affects) > 0 {
		shown := r.Affects[:min(len(r.Affects), 6)]
		more := ""
		if n := max(r.AffectsCount, len(r.Affects)) - len(shown); n > 0 {
			more = fmt.Sprintf(" and %d more (--format json lists them)", n)
		}
		fmt.Fprintf(w, "  affects %s%s\n", clean(strings.Join(shown, ", ")), more)
	}
	if a := r.Acknowledged; a != nil {
		text := "for as long as it lasts"
		if !a.Until.IsZero() {
			text = "until " + a.Until.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(w, "  acknowledged by %s, %s\n", clean(a.By), text)
	}
	if s := r.Silenced; s != nil {
		fmt.Fprintf(w, "  silenced: %s\n", clean(s.Reason))
	}
	fmt.Fprintln(w)
}

// stage describes an incident's state.
func stage(r incident.Record, now time.Time) string {
	switch {
	case !r.Closed.IsZero():
		text := "closed " + r.Closed.UTC().Format(time.RFC3339) + " (" + clean(string(r.Ended))
		if r.ClosedBy != "" {
			text += " by " + clean(r.ClosedBy)
		}
		return text + ")"
	case r.Open():
		return "open for " + prose.Span(now.Sub(r.First)) + ", since " + r.First.UTC().Format(time.RFC3339)
	}
	return "waiting for confirmation"
}

// change loads, changes and saves the incidents of some keys: all of them, or none where a key fits none.
func (i *incidents) change(cmd *cobra.Command, keys []string, edit func(incident.Record) incident.Record) error {
	if i.by == "" {
		i.by = cmp.Or(i.app.Getenv("USER"), i.app.Getenv("LOGNAME"), i.app.Getenv("USERNAME"))
	}
	if i.by == "" {
		return usage("add --by NAME", "%s requires --by, since the environment names no user", cmd.CommandPath())
	}
	ctx := cmd.Context()
	store, err := i.store(ctx)
	if err != nil {
		return err
	}
	loaded, err := store.Load(ctx)
	if err != nil {
		return err
	}
	var changed []incident.Record
	round.Share(store, loaded).Swap(ctx, func(s incident.State) incident.State {
		if changed, err = pickAll(s.Incidents, keys); err != nil {
			return incident.State{}
		}
		for n, r := range changed {
			changed[n] = edit(r)
		}
		return incident.State{Incidents: changed}
	}, func(_ string, failed error) {
		if failed != nil {
			err = fmt.Errorf("saving the incident: %w", failed)
		}
	})
	if err != nil {
		return err
	}
	if i.format.name == "json" && len(keys) == 1 {
		return i.app.writeJSON(changed[0])
	}
	if i.format.name == "json" {
		return i.app.writeJSON(map[string]any{"schema": "certdrift.incidents/1", "incidents": changed})
	}
	for _, r := range changed {
		i.text(r)
	}
	return nil
}

// pickAll finds an incident for each key.
func pickAll(records []incident.Record, keys []string) ([]incident.Record, error) {
	var picked []incident.Record
	for _, key := range keys {
		r, err := pick(records, key)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(picked, func(p incident.Record) bool { return p.Key == r.Key }) {
			picked = append(picked, r)
		}
	}
	return picked, nil
}

// pick finds an incident that is not closed by its key, or by a part of it that no other has.
func pick(records []incident.Record, key string) (incident.Record, error) {
	var fits []incident.Record
	var names []string
	for _, r := range records {
		if !r.Closed.IsZero() {
			continue
		}
		if r.Key == key {
			return r, nil
		}
		if strings.Contains(r.Key, key) {
			fits, names = append(fits, r), append(names, clean(r.Key))
		}
	}
	switch len(fits) {
	case 0:
		return incident.Record{}, usage("see `certdrift incidents list --all`", "no open incident has the key %q", key)
	case 1:
		return fits[0], nil
	}
	return incident.Record{}, usage("one of: "+strings.Join(names[:min(len(names), 5)], "; "), "%q matches %d keys", key, len(fits))
}
