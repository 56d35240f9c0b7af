package state_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"certdrift/internal/incident"
)

// FuzzItem: whatever an item of the table holds, the others are read, and it is either an incident that can be saved again, a counter,
// or broken and replaced.
func FuzzItem(f *testing.F) {
	f.Add("x", "7", `{"key":"x","version":7,"code":"cert-expired","first":"2026-11-23T12:00:00Z","parts":[{"code":"cert-expired"}]}`)
	f.Add("- counter:sms", "1", `{"key":"- counter:sms","counter":{"hour":"2026-11-23T12:00:00Z","used":2}}`)
	f.Add("x", "-1", `{"key":"y","version":"7"}`)
	f.Add("", "", `{`)
	f.Fuzz(func(t *testing.T, id, version, record string) {
		if id == "good" {
			return
		}
		d := newTable()
		s := store(d)
		save(t, s, incident.Record{Key: "good"})
		d.items[id] = map[string]types.AttributeValue{
			"id": &types.AttributeValueMemberS{Value: id}, "version": &types.AttributeValueMemberN{Value: version}, "record": &types.AttributeValueMemberS{Value: record},
		}
		found := false
		for _, r := range load(t, s) {
			found = found || r.Key == "good"
			if r.Key == id {
				if ok, err := s.SaveIncident(t.Context(), r); err == nil && !ok {
					t.Fatalf("%q was read, and is in the way: %+v", id, r)
				}
			}
		}
		if !found {
			t.Fatal("another item is hidden")
		}
	})
}
