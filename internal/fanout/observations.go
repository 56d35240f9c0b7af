package fanout

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// unpackedLimit is how large observations may be before they are compressed: inflatedLimit without what is between them.
const unpackedLimit = inflatedLimit * 9 / 10

// bundle is what a reply has, compressed. Each certificate is in it once, however many servers sent it; where an observation has a
// certificate, it has its number there instead.
type bundle struct {
	Certificates [][]byte          `json:"certificates"`
	Endpoints    []json.RawMessage `json:"endpoints"`
}

// packer packs observations, each of which is encoded once, however often the packer is asked for fewer of them.
type packer struct {
	limit        int // of a response; 0 for Lambda's
	numbers      map[string]uint32
	certificates [][]byte
	items        []item
}

// item is one observation.
type item struct {
	encoded json.RawMessage
	uses    []uint32 // certificates, without repetition
	size    int      // with its certificates, in JSON
	target  target.Endpoint
}

func newPacker(seen []observation.Endpoint, limit int) (*packer, error) {
	p := &packer{limit: limit, numbers: map[string]uint32{}, items: make([]item, 0, len(seen))}
	for _, e := range seen {
		one, err := p.encode(e)
		if err != nil {
			return nil, err
		}
		p.items = append(p.items, one)
	}
	return p, nil
}

// encode encodes an observation: of an endpoint's own fields only the name, since the other side has the rest.
func (p *packer) encode(e observation.Endpoint) (item, error) {
	out := item{target: target.Endpoint{Environment: e.Target.Environment, Name: e.Target.Name}}
	e.Target = out.target
	e, err := exchange(e, func(der []byte) ([]byte, error) {
		n, known := p.numbers[string(der)]
		if !known {
			n = uint32(len(p.certificates)) //nolint:gosec // there is no memory for as many
			p.numbers[string(der)] = n
			p.certificates = append(p.certificates, der)
		}
		if !slices.Contains(out.uses, n) {
			out.uses = append(out.uses, n)
			out.size += encodedLen(der)
		}
		return binary.BigEndian.AppendUint32(nil, n), nil
	})
	if err == nil {
		out.encoded, err = json.Marshal(e)
	}
	if err != nil {
		return item{}, fmt.Errorf("encoding an observation: %w", err)
	}
	out.size += len(out.encoded)
	return out, nil
}

// pack packs some of the observations.
func (p *packer) pack(items []item) ([]byte, error) {
	out := bundle{Certificates: make([][]byte, len(p.certificates)), Endpoints: make([]json.RawMessage, len(items))}
	for i, one := range items {
		out.Endpoints[i] = one.encoded
		for _, n := range one.uses {
			out.Certificates[n] = p.certificates[n]
		}
	}
	return pack(out)
}

// sizes returns how large the first observations are together, unpacked, for each number of them.
func (p *packer) sizes() []int {
	out := make([]int, 1, len(p.items)+1)
	known := make([]bool, len(p.certificates))
	for i, one := range p.items {
		size := out[i] + len(one.encoded) + 1
		for _, n := range one.uses {
			if !known[n] {
				known[n] = true
				size += encodedLen(p.certificates[n])
			}
		}
		out = append(out, size)
	}
	return out
}

func encodedLen(data []byte) int { return base64.StdEncoding.EncodedLen(len(data)) }

// packFirst packs as many observations as fit. Those that are larger than a fair share come last, the largest at the end, so that what a
// hostile server sends displaces no others; what does not fit even alone is replaced by the reason, so that asking again for the rest comes
// to an end.
func (p *packer) packFirst() (packed []byte, more bool, err error) {
	limit := cmp.Or(p.limit, payloadLimit)
	for i, one := range p.items {
		if one.size <= limit/2 {
			continue
		}
		alone, err := p.pack(p.items[i : i+1])
		if err == nil && (one.size > unpackedLimit || !fits(alone, limit)) {
			p.items[i], err = p.encode(observation.Endpoint{Target: one.target, Unprobed: "what was observed is larger than a worker's response may be"})
		}
		if err != nil {
			return nil, false, err
		}
	}
	fair := limit / max(1, len(p.items))
	class := func(one item) int { return bits.Len(uint(max(one.size, fair))) }
	slices.SortStableFunc(p.items, func(a, b item) int { return cmp.Compare(class(a), class(b)) })
	sizes := p.sizes()
	n, most := len(p.items), unpackedLimit
	for {
		for n > 0 && sizes[n] > most {
			n--
		}
		if packed, err = p.pack(p.items[:n]); err != nil || n == 0 || fits(packed, limit) {
			return packed, n < len(p.items), err
		}
		// What is left out compresses about as well as what stays.
		most = min(sizes[n]-1, int(float64(sizes[n])*float64(limit)/float64(encodedLen(packed))*0.95))
	}
}

// unpackObservations is the inverse of pack. Observations with the same certificate share its memory.
func unpackObservations(data []byte) ([]observation.Endpoint, error) {
	all, err := unpack[struct {
		Certificates [][]byte               `json:"certificates"`
		Endpoints    []observation.Endpoint `json:"endpoints"`
	}](data)
	if err != nil {
		return nil, err
	}
	for i := range all.Endpoints {
		if all.Endpoints[i], err = exchange(all.Endpoints[i], func(number []byte) ([]byte, error) {
			if len(number) != 4 {
				return nil, errors.New("a certificate has no number")
			}
			n := binary.BigEndian.Uint32(number)
			if int64(n) >= int64(len(all.Certificates)) || len(all.Certificates[n]) == 0 {
				return nil, fmt.Errorf("there is no certificate %d", n)
			}
			return all.Certificates[n], nil
		}); err != nil {
			return nil, err
		}
	}
	return all.Endpoints, nil
}

// exchange returns a copy of an observation with each of its certificates exchanged for something else.
func exchange(e observation.Endpoint, by func([]byte) ([]byte, error)) (observation.Endpoint, error) {
	var err error
	e.Addresses, err = exchangeAll(e.Addresses, by)
	return e, err
}

func exchangeAll(addresses []observation.Address, by func([]byte) ([]byte, error)) ([]observation.Address, error) {
	out := slices.Clone(addresses)
	for i := range out {
		a := &out[i]
		var err error
		if a.TLS, err = exchangeTLS(a.TLS, by); err != nil {
			return nil, err
		}
		if a.Other != nil {
			other := *a.Other
			if other.TLS, err = exchangeTLS(other.TLS, by); err != nil {
				return nil, err
			}
			a.Other = &other
		}
		if a.HTTP == nil || len(a.HTTP.Hops) == 0 {
			continue
		}
		response := *a.HTTP
		response.Hops = slices.Clone(response.Hops)
		for k := range response.Hops {
			if response.Hops[k].Addresses, err = exchangeAll(response.Hops[k].Addresses, by); err != nil {
				return nil, err
			}
		}
		a.HTTP = &response
	}
	return out, nil
}

func exchangeTLS(seen *observation.TLS, by func([]byte) ([]byte, error)) (*observation.TLS, error) {
	if seen == nil {
		return nil, nil
	}
	out := *seen
	var err error
	out.Chain = slices.Clone(out.Chain)
	for i := range out.Chain {
		if err = exchangeDER(&out.Chain[i], by); err != nil {
			return nil, err
		}
	}
	out.Issuers = slices.Clone(out.Issuers)
	for i := range out.Issuers {
		if err = exchangeDER(&out.Issuers[i].DER, by); err != nil {
			return nil, err
		}
	}
	return &out, nil
}

// exchangeDER leaves one without content as it is: a server may send that too.
func exchangeDER(der *[]byte, by func([]byte) ([]byte, error)) (err error) {
	if len(*der) > 0 {
		*der, err = by(*der)
	}
	return err
}
