package clients

import (
	"crypto/sha256"
	"crypto/x509"
	_ "embed" // for the table of roots
	"encoding/hex"
	"strings"
)

//go:embed roots.txt
var rootsTable string

// Store is the trust store of a family of clients, as it was in the package that it was taken from.
type Store struct {
	// Name is the family's, with its version where that decides; Date the store's; Source the package.
	Name, Date, Source string
	letter             byte
	byKey              map[string]Membership
	names              map[string]bool
}

// String returns the store's name with its date: what its vendor changed since is not known.
func (s Store) String() string { return s.Name + " (roots of " + s.Date + ")" }

// NewStore returns a store of some roots.
func NewStore(name, date string, held ...*x509.Certificate) Store {
	s := Store{Name: name, Date: date, byKey: map[string]Membership{}, names: map[string]bool{}}
	for _, cert := range held {
		s.add(SubjectHash(cert.RawSubject), KeyHash(cert.RawSubject, cert.RawSubjectPublicKeyInfo), Held)
	}
	return s
}

func (s Store) add(name, key string, m Membership) {
	s.byKey[key], s.names[name] = m, true
}

// Membership is whether a store holds a root.
type Membership int

// A root that only some sources of a store have is in doubt.
const (
	NotHeld Membership = iota
	InDoubt
	Held
)

// SubjectHash and KeyHash are how the table identifies roots: by name, and by name and key.
func SubjectHash(subject []byte) string {
	sum := sha256.Sum256(subject)
	return hex.EncodeToString(sum[:6])
}

// KeyHash hashes a name and a public key, both in DER.
func KeyHash(subject, key []byte) string {
	sum := sha256.New()
	sum.Write(subject)
	sum.Write(key)
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// Stores reads the embedded table: the stores that are known.
func Stores() []Store {
	var all []Store
	for line := range strings.Lines(rootsTable) {
		fields := strings.Fields(line)
		switch {
		case len(fields) < 3 || fields[0] == "#":
		case fields[0] == "store":
			name, source, _ := strings.Cut(strings.Join(fields[3:], " "), ": ")
			s := NewStore(name, fields[2])
			s.Source, s.letter = source, fields[1][0]
			all = append(all, s)
		default:
			for _, s := range all {
				switch {
				case strings.IndexByte(fields[2], s.letter) >= 0:
					s.add(fields[0], fields[1], Held)
				case strings.IndexByte(fields[2], s.letter-'A'+'a') >= 0:
					s.add(fields[0], fields[1], InDoubt)
				}
			}
		}
	}
	return all
}

// Holds reports whether the store holds a root with a certificate's name and key.
func (s Store) Holds(cert *x509.Certificate) Membership {
	return s.byKey[KeyHash(cert.RawSubject, cert.RawSubjectPublicKeyInfo)]
}

// Names reports whether the store holds a root of a name (in DER), whatever its key.
func (s Store) Names(subject []byte) bool { return s.names[SubjectHash(subject)] }
