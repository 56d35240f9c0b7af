package chain

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
)

// generalSubtrees is NameConstraints (RFC 5280 §4.2.1.10): the names that a CA may and may not issue for.
type generalSubtrees struct {
	Permitted []subtree `asn1:"optional,tag:0"`
	Excluded  []subtree `asn1:"optional,tag:1"`
}

type subtree struct {
	Base    asn1.RawValue
	Minimum int `asn1:"optional,default:0,tag:0"`
	Maximum int `asn1:"optional,default:-1,tag:1"`
}

// The tags of GeneralName that are checked, and that Go supports as constraints.
const (
	tagEmail     = 1
	tagDNS       = 2
	tagDirectory = 4
	tagURI       = 6
	tagIP        = 7
)

// maxSubtrees bounds the name constraints that are read, in bytes: a walk reads them for every pair of certificates.
const maxSubtrees = 16 << 10

// subtreesOf reads a CA's name constraints; ok is false if there are none or they cannot be parsed.
func subtreesOf(ca *x509.Certificate) (trees generalSubtrees, ok bool) {
	for _, e := range ca.Extensions {
		if e.Id.Equal(oidNameConstraints) && len(e.Value) <= maxSubtrees {
			rest, err := asn1.Unmarshal(e.Value, &trees)
			return trees, err == nil && len(rest) == 0
		}
	}
	return trees, false
}

// DirectoryConstraints returns the directory names among a CA's name constraints.
func DirectoryConstraints(ca *x509.Certificate) (permitted, excluded []string) {
	trees, ok := subtreesOf(ca)
	if !ok {
		return nil, nil
	}
	pick := func(from []subtree) (names []string) {
		for _, name := range directories(from) {
			names = append(names, name.String())
		}
		return names
	}
	return pick(trees.Permitted), pick(trees.Excluded)
}

func directories(from []subtree) (names []pkix.RDNSequence) {
	for _, t := range from {
		var name pkix.RDNSequence
		if t.Base.Tag != tagDirectory {
			continue
		}
		if _, err := asn1.Unmarshal(t.Base.Bytes, &name); err == nil {
			names = append(names, name)
		}
	}
	return names
}

// maxDirectoryNames bounds the pairs of a name and a constraint that are compared for two certificates.
const maxDirectoryNames = 4096

// directoryLimits are the directory names that a CA may and may not issue for.
type directoryLimits struct{ permitted, excluded []pkix.RDNSequence }

func (d directoryLimits) none() bool { return len(d.permitted)+len(d.excluded) == 0 }

// limitsOf returns a CA's directoryLimits, parsed once per walk.
func (w *walk) limitsOf(ca *x509.Certificate) directoryLimits {
	known, ok := w.limits[ca]
	if !ok {
		trees, _ := subtreesOf(ca)
		known = directoryLimits{directories(trees.Permitted), directories(trees.Excluded)}
		w.limits[ca] = known
	}
	return known
}

// fit returns an error for a directory name of a certificate, or its subject, that the CA may not issue. crypto/x509 does not
// check them.
func (d directoryLimits) fit(below *x509.Certificate) error {
	if d.none() || below.IsCA && bytes.Equal(below.RawSubject, below.RawIssuer) { // self-issued: RFC 5280 §6.1.3 (b)
		return nil
	}
	permitted, excluded := d.permitted, d.excluded
	names := directoryNames(below)
	if len(names)*(len(permitted)+len(excluded)) > maxDirectoryNames {
		return errTooManyNames
	}
	for _, name := range names {
		if i := slices.IndexFunc(excluded, func(base pkix.RDNSequence) bool { return within(name, base) }); i >= 0 {
			return fmt.Errorf("directory name %q is excluded by constraint %q", name.String(), excluded[i].String())
		}
		if len(permitted) > 0 && !slices.ContainsFunc(permitted, func(base pkix.RDNSequence) bool { return within(name, base) }) {
			return fmt.Errorf("directory name %q is not permitted by any constraint", name.String())
		}
	}
	return nil
}

// directoryNames returns a certificate's subject, if it is not empty, and its alternative directory names.
func directoryNames(c *x509.Certificate) []pkix.RDNSequence {
	var names []pkix.RDNSequence
	add := func(der []byte) {
		var name pkix.RDNSequence
		if _, err := asn1.Unmarshal(der, &name); err == nil && len(name) > 0 {
			names = append(names, name)
		}
	}
	add(c.RawSubject)
	for _, e := range c.Extensions {
		var alternatives []asn1.RawValue
		if !e.Id.Equal(oidSubjectAltName) {
			continue
		}
		if _, err := asn1.Unmarshal(e.Value, &alternatives); err != nil {
			continue
		}
		for _, n := range alternatives {
			if n.Tag == tagDirectory && n.Class == asn1.ClassContextSpecific {
				add(n.Bytes)
			}
		}
	}
	return names
}

// within reports whether a name begins with another (RFC 5280 §7.1: values are compared without case and extra space).
func within(name, base pkix.RDNSequence) bool {
	if len(base) > len(name) {
		return false
	}
	for i, rdn := range base {
		if len(rdn) != len(name[i]) || plainRDN(rdn) != plainRDN(name[i]) {
			return false
		}
	}
	return true
}

func plainRDN(rdn pkix.RelativeDistinguishedNameSET) string {
	return strings.ToLower(strings.Join(strings.Fields(pkix.RDNSequence{rdn}.String()), " "))
}

// directoryKind returns as which kind of problem some clients see a CA's constraints on directory names; empty if it has none.
func directoryKind(ca *x509.Certificate) Kind {
	permitted, excluded := DirectoryConstraints(ca)
	switch {
	case goRejects(ca):
		return DirectoryNames
	case len(excluded) > 0:
		return DirectoryBarred
	case len(permitted) > 0:
		return DirectoryLimits
	}
	return ""
}

// goRejects reports whether Go's clients don't support a certificate's critical extensions, and others do: name constraints with
// directory names, which CA/B BR §7.1.2.5.2 requires in CAs of companies.
func goRejects(c *x509.Certificate) bool {
	if len(c.UnhandledCriticalExtensions) != 1 || !c.UnhandledCriticalExtensions[0].Equal(oidNameConstraints) {
		return false
	}
	trees, ok := subtreesOf(c)
	if !ok {
		return false
	}
	found := false
	for _, t := range slices.Concat(trees.Permitted, trees.Excluded) {
		switch t.Base.Tag {
		case tagDirectory:
			found = true
		case tagEmail, tagDNS, tagURI, tagIP:
		default:
			return false
		}
	}
	return found
}
