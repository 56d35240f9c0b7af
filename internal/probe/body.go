package probe

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

const (
	defaultMaxBody = 10 << 20
	// wireSlack is how many bytes the encoded or partly decoded body may have beyond the bound of the decoded one.
	wireSlack = 1 << 20
	// maxJSON bounds the part of a body that is kept for body_json.
	maxJSON = 1 << 20
	// maxEncodings bounds the layers of Content-Encoding.
	maxEncodings = 3
)

var errTooLarge = errors.New("the body is larger than the limit")

// readBody reads the body to its end without keeping it, and checks the expectations on the way. It calls grown with the
// number of bytes read so far.
func (v *endpointProbe) readBody(r *http.Response, h *observation.HTTP, grown func(int64)) error {
	limit := v.target.Expect.MaxSize
	if limit <= 0 {
		limit = defaultMaxBody
	}
	watch := v.newWatch()
	// net/http reports a missing close_notify as an unexpected end. Where only the end of the connection marks the
	// end of the body, browsers accept it.
	lenient := r.ContentLength < 0 && len(r.TransferEncoding) == 0 && r.ProtoMajor == 1
	wire := &counter{r: r.Body, max: limit + wireSlack, lenient: lenient, grown: grown}
	decoded, err := decode(wire, r.Header, limit+wireSlack)
	if err != nil {
		return err
	}
	body := &counter{r: decoded, max: limit}
	watch.read(io.TeeReader(body, watch))
	h.Size = min(body.n, limit)
	h.Excerpt = v.secrets.Excerpt(watch.start, body.n > int64(len(watch.start)))
	if body.err != nil {
		return body.err
	}
	if body.n > 0 && hasNoContent(r) {
		return errContentBeyond
	}
	h.Unmet = append(h.Unmet, watch.unmet(v)...)
	return nil
}

// counter bounds a reader and remembers how it ended; err stays nil at a proper end.
type counter struct {
	r       io.Reader
	n, max  int64
	lenient bool
	grown   func(n int64) // called after every read; may be nil
	err     error
	ended   bool
}

// Read implements io.Reader.
func (c *counter) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if c.ended {
		return 0, io.EOF
	}
	if left := c.max + 1 - c.n; int64(len(p)) > left {
		p = p[:left]
	}
	n, err := c.r.Read(p)
	c.n += int64(n)
	if c.grown != nil {
		c.grown(c.n)
	}
	if c.n > c.max {
		c.err = fmt.Errorf("%w of %d bytes", errTooLarge, c.max)
		return n, c.err
	}
	if c.lenient && errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	switch {
	case err == io.EOF: // the bare value is the proper end
		c.ended = true
	case err != nil:
		c.err = err
	}
	return n, err
}

// decode undoes Content-Encoding (RFC 9110 §8.4), last applied first. An empty body is empty in any encoding. Each
// layer yields at most that many bytes: the next layer could reduce gigabytes to nothing without ever returning to a deadline check.
func decode(r io.Reader, h http.Header, most int64) (io.Reader, error) {
	encodings := strings.FieldsFunc(strings.Join(h.Values("Content-Encoding"), ","), func(c rune) bool {
		return c == ',' || c == ' ' || c == '\t'
	})
	if len(encodings) > maxEncodings {
		return nil, fmt.Errorf("the body has %d content encodings", len(encodings))
	}
	for i := len(encodings) - 1; i >= 0; i-- {
		if strings.EqualFold(encodings[i], "identity") {
			continue
		}
		buffered := bufio.NewReader(r)
		start, err := buffered.Peek(2)
		if len(start) == 0 && err == io.EOF { //nolint:errorlint // the bare value is the proper end
			return buffered, nil
		}
		inflated, err := inflate(encodings[i], buffered, start)
		if err != nil {
			return nil, fmt.Errorf("decoding the body: %w", err)
		}
		r = &counter{r: inflated, max: most}
	}
	return r, nil
}

func inflate(encoding string, r io.Reader, start []byte) (io.Reader, error) {
	switch strings.ToLower(encoding) {
	case "gzip", "x-gzip":
		return gzip.NewReader(r)
	case "deflate":
		// RFC 9110 §8.4.1.2 means zlib; some servers send bare deflate. The first two bytes distinguish them (RFC 1950 §2.2).
		if len(start) == 2 && start[0]&0x0f == 8 && (uint(start[0])<<8|uint(start[1]))%31 == 0 {
			return zlib.NewReader(r)
		}
		return flate.NewReader(r), nil
	}
	return nil, fmt.Errorf("the content encoding %s was not requested", finding.Quote(encoding))
}

// watch checks a body as it is read.
type watch struct {
	start    []byte // for the excerpt
	contains *finder
	matches  *regexp.Regexp
	matched  bool
	badRegex error
	json     *bytes.Buffer
	jsonCut  bool
}

// excerptBytes is how much of the start is kept: enough for an excerpt in which secrets have been hidden.
const excerptBytes = 2 << 10

func (v *endpointProbe) newWatch() *watch {
	w := &watch{}
	expect := v.target.Expect
	if expect.BodyContains != "" {
		w.contains = &finder{want: []byte(expect.BodyContains)}
	}
	if expect.BodyMatches != "" {
		w.matches, w.badRegex = regexp.Compile(expect.BodyMatches)
	}
	if len(expect.BodyJSON) > 0 {
		w.json = &bytes.Buffer{}
	}
	return w
}

// read drains r, which feeds Write, through the regular expression if there is one. Its counter records how r ended.
func (w *watch) read(r io.Reader) {
	if w.matches != nil {
		w.matched = w.matches.MatchReader(bufio.NewReader(r))
	}
	_, _ = io.Copy(io.Discard, r)
}

// Write implements io.Writer; it never fails.
func (w *watch) Write(p []byte) (int, error) {
	if room := excerptBytes - len(w.start); room > 0 {
		w.start = append(w.start, p[:min(room, len(p))]...)
	}
	if w.contains != nil {
		w.contains.write(p)
	}
	if w.json != nil {
		if room := maxJSON - w.json.Len(); len(p) <= room {
			w.json.Write(p)
		} else {
			w.jsonCut = true
		}
	}
	return len(p), nil
}

// unmet lists the expectations that the body does not meet.
func (w *watch) unmet(v *endpointProbe) []observation.Unmet {
	var unmet []observation.Unmet
	add := func(expectation, want, got string) {
		unmet = append(unmet, observation.Unmet{
			Expectation: expectation, Want: v.secrets.Show(want, finding.QuoteLimit), Got: v.secrets.Show(got, finding.QuoteLimit),
		})
	}
	expect := v.target.Expect
	if w.contains != nil && !w.contains.found {
		add("body_contains", expect.BodyContains, "")
	}
	if expect.BodyMatches != "" && !w.matched {
		reason := ""
		if w.badRegex != nil {
			reason = w.badRegex.Error()
		}
		add("body_matches", expect.BodyMatches, reason)
	}
	if w.json == nil {
		return unmet
	}
	for _, u := range unmetJSON(expect.BodyJSON, w.json.Bytes(), w.jsonCut) {
		add("body_json", u.Want, u.Got)
	}
	return unmet
}

// finder searches a stream for a text.
type finder struct {
	want  []byte
	tail  []byte // the end of what passed, one byte shorter than want
	found bool
}

func (f *finder) write(p []byte) {
	if f.found {
		return
	}
	keep := len(f.want) - 1
	joint := append(f.tail, p[:min(keep, len(p))]...)
	if bytes.Contains(joint, f.want) || bytes.Contains(p, f.want) {
		f.found, f.tail = true, nil
		return
	}
	if len(p) >= keep {
		f.tail = append(f.tail[:0], p[len(p)-keep:]...)
		return
	}
	f.tail = joint[max(0, len(joint)-keep):]
}
