package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// cloudwatch translates a call in the CBOR protocol to the emulator's JSON protocol, and the response back.
func (f *front) cloudwatch(w http.ResponseWriter, r *http.Request, c call) {
	var in any
	if len(c.body) > 0 {
		if err := fromCBOR(c.body, &in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	body, err := json.Marshal(timesToNumbers(in))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if string(body) == "null" {
		body = []byte("{}")
	}
	request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, f.motoURL+"/", bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "GraniteServiceVersion20100801."+c.action)
	request.Header.Set("Authorization", r.Header.Get("Authorization"))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	out := map[string]any{}
	if len(bytes.TrimSpace(raw)) > 0 {
		numbers := json.NewDecoder(bytes.NewReader(raw))
		numbers.UseNumber() // CBOR and the SDK distinguish integers and floats
		if err := numbers.Decode(&out); err != nil {
			http.Error(w, "the emulator answered no JSON: "+string(tail(raw, 300)), http.StatusBadGateway)
			return
		}
	}
	writeCBOR(w, answer.StatusCode, numbersToTimes(out, ""))
}

func fromCBOR(b []byte, into *any) error {
	mode, err := cbor.DecOptions{DefaultMapType: reflect.TypeFor[map[string]any](), TimeTagToAny: cbor.TimeTagToTime}.DecMode()
	if err != nil {
		return err
	}
	return mode.Unmarshal(b, into)
}

func writeCBOR(w http.ResponseWriter, status int, v any) {
	mode, err := cbor.EncOptions{Time: cbor.TimeUnixDynamic, TimeTag: cbor.EncTagRequired}.EncMode()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	body, err := mode.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// timesToNumbers writes times as JSON services expect them: seconds since 1970.
func timesToNumbers(v any) any {
	switch v := v.(type) {
	case time.Time:
		return float64(v.UnixMilli()) / 1000
	case map[string]any:
		for k := range v {
			v[k] = timesToNumbers(v[k])
		}
	case []any:
		for i := range v {
			v[i] = timesToNumbers(v[i])
		}
	}
	return v
}

// numbersToTimes adds the CBOR tag to members that are times in CloudWatch's model, and drops nulls, which are not in the model.
func numbersToTimes(v any, name string) any {
	switch v := v.(type) {
	case map[string]any:
		for k, member := range v {
			if member == nil {
				delete(v, k)
				continue
			}
			v[k] = numbersToTimes(member, k)
		}
	case []any:
		for i := range v {
			v[i] = numbersToTimes(v[i], name)
		}
	case json.Number:
		return number(v, name)
	case string:
		if isTime(name) {
			if at, err := time.Parse(time.RFC3339, v); err == nil {
				return at
			}
		}
	}
	return v
}

func isTime(member string) bool {
	return strings.HasSuffix(member, "Timestamp") || strings.HasSuffix(member, "Timestamps") || member == "LastModified"
}

func number(n json.Number, member string) any {
	f, err := n.Float64()
	if err != nil {
		return n.String()
	}
	if isTime(member) {
		return time.UnixMilli(int64(f * 1000))
	}
	if i, err := n.Int64(); err == nil {
		return i
	}
	return f
}

func TestTimesCrossTheAdapter(t *testing.T) {
	at := time.Unix(1795435200, 0)
	sent := map[string]any{"MetricData": []any{map[string]any{"Timestamp": at, "Value": 2.5}}}
	body, err := json.Marshal(timesToNumbers(sent))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"MetricData":[{"Timestamp":1795435200,"Value":2.5}]}`; string(body) != want {
		t.Errorf("sent %s, want %s", body, want)
	}
	back := numbersToTimes(map[string]any{"Datapoints": []any{map[string]any{"Timestamp": json.Number("1795435200.0"), "Sum": json.Number("1795435200"), "Unit": nil}}}, "")
	point := back.(map[string]any)["Datapoints"].([]any)[0].(map[string]any)
	if got, ok := point["Timestamp"].(time.Time); !ok || !got.Equal(at) || point["Sum"] != int64(1795435200) || len(point) != 2 {
		t.Errorf("came back as %v", point)
	}
}
