package probe

import (
	"bytes"
	"crypto/tls"
	"testing"
)

// TestKeySharesOfARound: the questions of a round share what is expensive to make, and nothing else: what a server signs is about one
// question alone.
func TestKeySharesOfARound(t *testing.T) {
	var shares keyShares
	var made []*keyShare
	for _, group := range currentGroups() {
		first, err := shares.get(group)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := shares.get(group); err != nil || again != first {
			t.Errorf("%s: made anew: %v", group, err)
		}
		made = append(made, first)
	}
	for i, share := range made[1:] {
		if bytes.Contains(share.sent, made[i].sent) || bytes.Contains(made[i].sent, share.sent) {
			t.Errorf("%s and %s have one key", share.group, made[i].group)
		}
	}
	if _, err := shares.get(tls.CurveID(1)); err == nil {
		t.Error("a share of an unknown group")
	}
	question := hello{sni: "site.test", share: made[0]}
	first, err := question.message()
	if err != nil {
		t.Fatal(err)
	}
	second, err := question.message()
	if err != nil {
		t.Fatal(err)
	}
	random := func(message []byte) []byte { return message[randomAt : randomAt+randomSize] }
	if bytes.Equal(random(first), random(second)) {
		t.Error("two questions have one random value")
	}
}
