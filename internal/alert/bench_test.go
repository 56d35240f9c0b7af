package alert

import "testing"

// BenchmarkCompose writes the message of the incident that certdrift exists for, in all its forms.
func BenchmarkCompose(b *testing.B) {
	n := drifted()
	b.ReportAllocs()
	for b.Loop() {
		if m := Compose(n, options); m.SMS == "" {
			b.Fatal("no text message")
		}
	}
}
