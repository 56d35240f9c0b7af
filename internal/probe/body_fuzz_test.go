package probe

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"testing"
)

func compress(t testing.TB, body []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// FuzzBody: whatever a server compresses, and however often, a body never yields more than its limit and one byte.
func FuzzBody(f *testing.F) {
	zipped := compress(f, bytes.Repeat([]byte("ok"), 10_000))
	f.Add(zipped, "gzip")
	f.Add(zipped, "deflate")
	f.Add(compress(f, zipped), "gzip, gzip")
	f.Add([]byte("ok"), "identity")
	f.Add([]byte{0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01}, "deflate")
	f.Fuzz(func(t *testing.T, body []byte, encodings string) {
		const most = 4 << 10
		r, err := decode(bytes.NewReader(body), http.Header{"Content-Encoding": {encodings}}, most)
		if err != nil {
			return
		}
		n, err := io.Copy(io.Discard, r)
		if n > max(most+1, int64(len(body))) {
			t.Fatalf("%d bytes of %q: %v", n, encodings, err)
		}
	})
}
