package chain

import (
	"bytes"
	"encoding/asn1"
	"testing"
)

// TestOnlyKeyID: what is read without a parser is what the parser reads, and whatever holds more is left to it.
func TestOnlyKeyID(t *testing.T) {
	type only struct {
		KeyID []byte `asn1:"optional,tag:0"`
	}
	for _, size := range []int{0, 1, 20, 32, 123, 124, 125, 126, 200} {
		key := bytes.Repeat([]byte{7}, size)
		der, err := asn1.Marshal(only{key})
		if err != nil {
			t.Fatal(err)
		}
		got, is := onlyKeyID(der)
		var parsed authorityKey
		if _, err := asn1.Unmarshal(der, &parsed); err != nil {
			t.Fatal(err)
		}
		if is && !bytes.Equal(got, parsed.KeyID) || !is && size > 0 && size < 124 {
			t.Errorf("%d bytes: got %x, %v, want %x", size, got, is, parsed.KeyID)
		}
	}
	for _, der := range [][]byte{nil, {0x30, 0}, {0x30, 3, 0x80, 1, 7, 0}, {0x30, 3, 0x82, 1, 7}, {0x30, 6, 0x80, 1, 7, 0x82, 1, 1}, {0x30, 0x81, 3, 0x80, 1, 7}} {
		if _, is := onlyKeyID(der); is {
			t.Errorf("% x has nothing but a key identifier", der)
		}
	}
}
