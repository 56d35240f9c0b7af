package certtest

import (
	"crypto/x509"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// Hostile is what a terminal, a log viewer or a build server would act on: escape sequences of two kinds, a new line, a command,
// bidirectional controls, what is invisible, and what is not UTF-8.
const Hostile = "::error::x \x1b]0;title\a\x1b[31m\r\n::set-output name=a::b\n##[error]y\u202eevil\u202c \u009b1m\u200b\u2028\x00\xff\x7f"

// Poison puts hostile text into every text below what a pointer leads to, and one element into every list and mapping. Types of
// text of their own are closed sets, which no server chooses.
func Poison(pointer any) { poison(reflect.ValueOf(pointer).Elem(), 0) }

func poison(v reflect.Value, depth int) {
	if depth > 12 || !v.CanSet() {
		return
	}
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			v.SetString(Hostile)
		}
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)))
			return
		}
		for i := range v.NumField() {
			poison(v.Field(i), depth+1)
		}
	case reflect.Pointer:
		if depth < 10 && v.Type() != reflect.TypeFor[*x509.Certificate]() { // only a parser makes one
			v.Set(reflect.New(v.Type().Elem()))
			poison(v.Elem(), depth+1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		poison(v.Index(0), depth+1)
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		poison(key, depth+1)
		poison(value, depth+1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Interface:
		if v.NumMethod() == 0 {
			v.Set(reflect.ValueOf(Hostile))
		}
	}
}

// Harmless checks that nothing in an output is acted on. commands are a build server's own, which certdrift wrote.
func Harmless(t testing.TB, what, text string, commands bool) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if i := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) && r != '\t' }); i >= 0 || !utf8.ValidString(line) {
			t.Errorf("%s: an invisible character: %.120q", what, line[max(0, i-40):])
			return
		}
		if begin := strings.TrimSpace(line); !commands && strings.HasPrefix(begin, "::") || strings.Contains(begin, "##[") {
			t.Errorf("%s: a command to a build server: %.120q", what, line)
			return
		}
	}
}
