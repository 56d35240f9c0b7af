package state_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"certdrift/internal/awsio/state"
	"certdrift/internal/incident"
)

func (d *table) GetItem(_ context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return &dynamodb.GetItemOutput{Item: d.items[text(in.Key["id"])]}, d.refuse
}

// TestConfigurationIsNoIncident: it is kept in the incidents' table, and is none of them.
func TestConfigurationIsNoIncident(t *testing.T) {
	ctx, d := t.Context(), newTable()
	kept, incidents := state.NewConfiguration(d, "incidents"), state.New(d, "incidents", now)
	if data, err := kept.Load(ctx); data != nil || err != nil {
		t.Errorf("of an empty table: %q, %v", data, err)
	}
	for _, want := range [][]byte{[]byte("first"), []byte("second")} {
		if err := kept.Save(ctx, want); err != nil {
			t.Fatal(err)
		}
		if data, err := kept.Load(ctx); !bytes.Equal(data, want) || err != nil {
			t.Errorf("%q, %v; want %q", data, err, want)
		}
	}
	if ok, err := incidents.SaveIncident(ctx, incident.Record{Key: "production/a"}); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if all, err := incidents.Load(ctx); len(all.Incidents) != 1 || len(incidents.Broken()) != 0 || err != nil {
		t.Errorf("%d incidents, broken %v, %v", len(all.Incidents), incidents.Broken(), err)
	}
	if err := kept.Save(ctx, make([]byte, state.MaxConfiguration+1)); err == nil {
		t.Error("a configuration larger than an item was kept")
	}
	d.refuse = errors.New("denied")
	if _, err := kept.Load(ctx); err == nil {
		t.Error("no error of a table that refuses")
	}
}
