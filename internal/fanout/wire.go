package fanout

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"certdrift/internal/target"
)

// version is that of both messages: during a deployment the two functions may run different ones.
const version = 1

// payloadLimit is a little less than the 6 MB that Lambda lets the payload and the response of a synchronous invocation have
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). inflatedLimit bounds what one unpacks to: what servers send
// may compress a thousandfold, and the probe function unpacks the responses of all workers.
const (
	payloadLimit  = 5_900_000
	inflatedLimit = 64 << 20
)

// Task is what a worker is invoked with.
type Task struct {
	Version int `json:"version"`
	// Milliseconds is the time that the worker has, from when it starts: the clocks of two machines are never compared.
	Milliseconds int64 `json:"ms"`
	// Revocation is how revocation is checked.
	Revocation string `json:"revocation,omitempty"`
	// Endpoints are what to probe, those that matter most first: JSON, compressed.
	Endpoints []byte `json:"endpoints"`
}

// Reply is a worker's response.
type Reply struct {
	Version int `json:"version"`
	// Observations are of the endpoints of the task that fit a response: JSON, compressed. An endpoint has only its environment and
	// name.
	Observations []byte `json:"observations"`
	// More reports that there are observations that did not fit.
	More bool `json:"more,omitempty"`
}

// sent is an endpoint with its secrets, which its own JSON leaves out or blackens. They are sent nowhere but to the worker, whose
// payloads Lambda neither keeps nor logs.
type sent struct {
	target.Endpoint
	Secrets secrets `json:"secrets,omitzero"`
}

type secrets struct {
	Username string   `json:"username,omitempty"`
	Password string   `json:"password,omitempty"`
	Query    string   `json:"query,omitempty"`
	Headers  []string `json:"headers,omitempty"`
	KeyPEM   string   `json:"key_pem,omitempty"`
}

func toSend(e target.Endpoint) sent {
	r := e.Request
	s := secrets{Username: r.Username.Reveal(), Password: r.Password.Reveal(), Query: r.Query.Reveal()}
	for _, h := range r.Headers {
		s.Headers = append(s.Headers, h.Value.Reveal())
	}
	if r.ClientCertificate != nil {
		s.KeyPEM = r.ClientCertificate.KeyPEM.Reveal()
	}
	return sent{e, s}
}

// received returns the endpoint with its secrets.
func (s sent) received() (target.Endpoint, error) {
	e := s.Endpoint
	r := &e.Request
	if len(s.Secrets.Headers) != len(r.Headers) {
		return e, errors.New("the headers and their values differ in number")
	}
	r.Username, r.Password, r.Query = target.Secret(s.Secrets.Username), target.Secret(s.Secrets.Password), target.Secret(s.Secrets.Query)
	for i := range r.Headers {
		r.Headers[i].Value = target.Secret(s.Secrets.Headers[i])
	}
	if r.ClientCertificate != nil {
		r.ClientCertificate.KeyPEM = target.Secret(s.Secrets.KeyPEM)
	}
	return e, nil
}

// packEndpoints packs endpoints as a task sends them.
func packEndpoints(endpoints []target.Endpoint) ([]byte, error) {
	all := make([]sent, len(endpoints))
	for i, e := range endpoints {
		all[i] = toSend(e)
	}
	return pack(all)
}

func unpackEndpoints(data []byte) ([]target.Endpoint, error) {
	all, err := unpack[[]sent](data)
	if err != nil {
		return nil, err
	}
	out := make([]target.Endpoint, len(all))
	for i, s := range all {
		if out[i], err = s.received(); err != nil {
			return nil, fmt.Errorf("the endpoint %q: %w", s.Key(), err)
		}
	}
	return out, nil
}

func pack(value any) ([]byte, error) {
	var out bytes.Buffer
	zip, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	if err := errors.Join(json.NewEncoder(zip).Encode(value), zip.Close()); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	return out.Bytes(), nil
}

func unpack[T any](data []byte) (out T, err error) {
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return out, fmt.Errorf("decompressing: %w", err)
	}
	bounded := &io.LimitedReader{R: zip, N: inflatedLimit}
	if err := json.NewDecoder(bounded).Decode(&out); err != nil {
		if bounded.N <= 0 {
			return out, fmt.Errorf("it decompresses to more than %d bytes", inflatedLimit)
		}
		return out, fmt.Errorf("decoding: %w", err)
	}
	return out, nil
}

// fits reports whether packed data fit a payload, where they are base64, beside the other fields. A limit of 0 is Lambda's.
func fits(packed []byte, limit int) bool { return len(packed)/3*4+1000 <= cmp.Or(limit, payloadLimit) }
