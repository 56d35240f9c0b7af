package probe

import (
	"net/http"
	"testing"
	"time"
)

func TestDate(t *testing.T) {
	noon := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	const text = "Mon, 30 Nov 2026 12:00:00 GMT"
	for name, c := range map[string]struct {
		header http.Header
		want   time.Time
	}{
		"none":             {http.Header{}, time.Time{}},
		"plain":            {http.Header{"Date": {text}}, noon},
		"obsolete format":  {http.Header{"Date": {"Monday, 30-Nov-26 12:00:00 GMT"}}, noon},
		"from a cache":     {http.Header{"Date": {text}, "Age": {"3600"}}, noon.Add(time.Hour)},
		"a wrong age":      {http.Header{"Date": {text}, "Age": {"-1"}}, time.Time{}},
		"an endless age":   {http.Header{"Date": {text}, "Age": {"4294967295"}}, time.Time{}},
		"no time at all":   {http.Header{"Date": {"yesterday"}}, time.Time{}},
		"the year 0":       {http.Header{"Date": {"Mon, 30 Nov 0000 12:00:00 GMT"}}, time.Time{}},
		"beyond all years": {http.Header{"Date": {"Fri, 31 Dec 9999 23:59:59 GMT"}, "Age": {"3600"}}, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := date(c.header); !got.Equal(c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// FuzzDate: whatever a server says of its time can be saved.
func FuzzDate(f *testing.F) {
	f.Add("Mon, 30 Nov 2026 12:00:00 GMT", "60")
	f.Add("Monday, 30-Nov-26 12:00:00 GMT", "")
	f.Add("Fri, 31 Dec 9999 23:59:59 GMT", "31536000")
	f.Fuzz(func(t *testing.T, text, age string) {
		at := date(http.Header{"Date": {text}, "Age": {age}})
		if _, err := at.MarshalJSON(); err != nil {
			t.Fatal(err)
		}
	})
}

// A probe records the server's own time.
func TestProbeRecordsTheDate(t *testing.T) {
	a := one(t, observe(t, raw(t, "HTTP/1.1 200 OK\r\nDate: Mon, 30 Nov 2026 12:00:00 GMT\r\nAge: 60\r\nContent-Length: 2\r\n\r\nok")))
	if want := time.Date(2026, 11, 30, 12, 1, 0, 0, time.UTC); a.HTTP == nil || !a.HTTP.Date.Equal(want) {
		t.Errorf("%+v, want the date %v", a.HTTP, want)
	}
}
