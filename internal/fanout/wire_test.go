package fanout

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// fill gives every field a value of its own.
func fill(v reflect.Value, n *int) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.String:
		*n++
		v.SetString(fmt.Sprint("value ", *n))
	case reflect.Int, reflect.Int64:
		*n++
		v.SetInt(int64(*n))
	case reflect.Uint8:
		*n++
		v.SetUint(uint64(*n % 256))
	case reflect.Bool:
		v.SetBool(true)
	default:
		panic(v.Kind().String())
	}
}

// TestEndpointsArriveWhole: a worker gets every setting, the secrets included; one that was added and is not sent fails here.
func TestEndpointsArriveWhole(t *testing.T) {
	var e target.Endpoint
	n := 0
	fill(reflect.ValueOf(&e).Elem(), &n)
	packed, err := packEndpoints([]target.Endpoint{e, {Name: "plain"}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := unpackEndpoints(packed)
	if err != nil {
		t.Fatal(err)
	}
	reveal := cmp.Transformer("Reveal", func(s target.Secret) []string { return []string{s.Reveal()} })
	if diff := cmp.Diff([]target.Endpoint{e, {Name: "plain"}}, got, reveal); diff != "" {
		t.Errorf("endpoints (-sent +received):\n%s", diff)
	}
}

// TestObservationsArriveWhole: with each certificate in them, wherever it is, and one that many sent is sent once.
func TestObservationsArriveWhole(t *testing.T) {
	leaf, issuer := []byte("leaf"), []byte("issuer")
	seen := func() *observation.TLS {
		return &observation.TLS{
			Version: "TLS 1.3", Chain: [][]byte{leaf, {}, issuer},
			Issuers: []observation.FetchedIssuer{{URL: "http://a.example/", DER: issuer}, {URL: "http://b.example/", Failure: "404"}},
		}
	}
	hop := observation.Hop{URL: "https://b.example/", Addresses: []observation.Address{{TLS: seen()}}}
	want := observation.Endpoint{Target: target.Endpoint{Environment: "e", Name: "n"}, Probed: true, Addresses: []observation.Address{
		{Address: "a", TLS: seen(), Other: &observation.OtherCertificate{TLS: seen()}, HTTP: &observation.HTTP{Status: 200, Hops: []observation.Hop{hop}}},
		{Address: "b", Failure: &observation.Failure{Detail: "no"}, Other: &observation.OtherCertificate{}},
	}}
	all, err := newPacker([]observation.Endpoint{want, {Target: target.Endpoint{Name: "unprobed"}}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	packed, more, err := all.packFirst()
	if err != nil || more || len(all.certificates) != 2 {
		t.Fatalf("%v, more %t, %d certificates", err, more, len(all.certificates))
	}
	got, err := unpackObservations(packed)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]observation.Endpoint{want, {Target: target.Endpoint{Name: "unprobed"}}}, got); diff != "" {
		t.Errorf("observations (-sent +received):\n%s", diff)
	}
	if diff := cmp.Diff(seen(), want.Addresses[0].TLS); diff != "" {
		t.Errorf("what was sent is changed:\n%s", diff)
	}
}

// TestShape: the two functions of a deployment may be of different versions for a minute. A message that one of them would misread has
// another version. Until the first release has one, known is all that changes.
func TestShape(t *testing.T) {
	const known = "1: d34149ee979d63c3"
	var b strings.Builder
	shape(&b, reflect.TypeFor[Task](), map[reflect.Type]bool{})
	shape(&b, reflect.TypeFor[Reply](), map[reflect.Type]bool{})
	shape(&b, reflect.TypeFor[sent](), map[reflect.Type]bool{})
	shape(&b, reflect.TypeFor[bundle](), map[reflect.Type]bool{})
	shape(&b, reflect.TypeFor[observation.Endpoint](), map[reflect.Type]bool{})
	sum := sha256.Sum256([]byte(b.String()))
	if got := fmt.Sprintf("%d: %s", version, hex.EncodeToString(sum[:8])); got != known {
		t.Errorf("what is sent has changed: increment version, and set known to %q", got)
	}
}

// shape writes the fields of a type as they are sent.
func shape(b *strings.Builder, of reflect.Type, seen map[reflect.Type]bool) {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct || seen[of] || of.PkgPath() == "time" {
		fmt.Fprint(b, of.Kind())
		return
	}
	seen[of] = true
	for i := range of.NumField() {
		if f := of.Field(i); f.Tag.Get("json") != "-" {
			fmt.Fprintf(b, "{%s %s ", f.Name, f.Tag.Get("json"))
			shape(b, f.Type, seen)
			b.WriteString("}")
		}
	}
}

// TestWorkersRefuseWhatIsNoTask, and say nothing of what is in it.
func TestWorkersRefuseWhatIsNoTask(t *testing.T) {
	bad, err := pack([]map[string]any{{"name": "a", "request": map[string]any{"headers": []any{map[string]any{"name": "Authorization"}}}, "secrets": map[string]any{"password": "hunter2"}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string]string{
		"an event": `{"source":"aws.events"}`, "null": "null", "a list": "[]", "another version": `{"version":2}`,
		"no endpoints": `{"version":1}`, "bad ones": `{"version":1,"endpoints":"aHVudGVyMg=="}`,
		"headers without values": string(must(json.Marshal(Task{Version: 1, Endpoints: bad}))),
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			w := &Worker{Log: slog.New(slog.NewTextHandler(&log, nil)), Probe: func(context.Context, string, []target.Endpoint) []observation.Endpoint {
				t.Error("it probes")
				return nil
			}}
			_, err := w.Handle(t.Context(), json.RawMessage(raw))
			if err == nil || strings.Contains(err.Error()+log.String(), "hunter2") {
				t.Errorf("%v, logged %s", err, log.String())
			}
		})
	}
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}

// FuzzReply: whatever a worker returns, every endpoint is accounted for, and none is probed that is not in the response.
func FuzzReply(f *testing.F) {
	endpoints := many(3)
	var seeds [][]observation.Endpoint
	for n := range 4 {
		var seen []observation.Endpoint
		for _, e := range endpoints[:n] {
			seen = append(seen, observation.Endpoint{Target: e, Probed: true})
		}
		seeds = append(seeds, seen)
	}
	for _, seen := range seeds {
		packed := must(packObservations(seen))
		f.Add(must(json.Marshal(Reply{Version: version, Observations: packed})))
		f.Add(must(json.Marshal(Reply{Version: version, Observations: packed, More: true})))
	}
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		calls := 0
		p := New(Options{Shards: 1, Invoke: func(context.Context, []byte) ([]byte, error) { calls++; return raw, nil }})
		seen := p.Probe(t.Context(), endpoints)
		if len(seen) != len(endpoints) || calls > len(endpoints) {
			t.Fatalf("%d observations, %d calls", len(seen), calls)
		}
		for i, e := range seen {
			if e.Target.Key() != endpoints[i].Key() {
				t.Errorf("%d: %s", i, e.Target.Key())
			}
		}
	})
}
