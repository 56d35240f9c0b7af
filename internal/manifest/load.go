package manifest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/probe/redact"
	"certdrift/internal/target"
)

// The limits for all files together.
const (
	maxFiles = 10_000
	maxTotal = 256 << 20 // bytes
)

// File is one file with its content.
type File struct {
	Name string
	Data []byte
}

// Options say where files come from. The zero value reads local files, relative to the working directory.
type Options struct {
	// Dir is the directory that paths are relative to; diagnostics and positions show paths as written.
	Dir string
	// Namespace is the namespace of objects that name none; "default" if empty.
	Namespace string
	// Plain also returns the ports of load balancers without a certificate, as declarations without ARNs that are not Discovered,
	// and one declaration per object that it has no other ports (RemovesListeners): applying it removes listeners that were added by hand.
	Plain bool
	// Positions has the positions where paths are configured, by path; errors about such a path as a whole are reported there.
	Positions map[string]target.Position
	// Stdin is read for "-"; if nil, "-" is an error.
	Stdin io.Reader
	// Remote reads the files of a path with a scheme, such as s3://bucket/prefix/, in a stable order; if nil, such paths are
	// errors. Its error is shown.
	Remote func(path string) ([]File, error)
}

// Loaded is what manifests declare, and why some could not be read: mistakes in them or their paths (Diagnostics), and failures
// of AWS (ObserveErrors), which say nothing about the manifests.
type Loaded struct {
	Declared      []observation.Declaration
	PassedOver    []observation.PassedOver // what was not understood, and may declare certificates too
	Diagnostics   []observation.Diagnostic
	ObserveErrors []observation.ObserveError
}

// unread is an error that may be a failure to read, not a mistake in the path.
type unread interface {
	error
	Unread() (observation.ObserveError, bool)
}

// Load reads the manifests at paths: files, directories (recursively: *.yaml, *.yml and *.json), globs (** matches any
// directories), "-" and remote paths. It continues after an error. A file named by several paths is read once.
func Load(paths []string, opts Options) Loaded {
	l := loader{opts: opts, seen: map[string]bool{}, classes: newClasses(), stacks: newStacks()}
	l.opts.Namespace = cmp.Or(opts.Namespace, "default")
	for _, path := range paths {
		l.path(path)
	}
	l.classes.readLive()
	understood := 0
	for _, r := range l.readers { // an Ingress may be of a class that another file has
		r.finish()
		l.Declared = append(l.Declared, r.declared...)
		l.PassedOver = append(l.PassedOver, r.passedOver...)
		l.Diagnostics = append(l.Diagnostics, r.diagnostics...)
		understood += r.understood
	}
	l.PassedOver = append(l.PassedOver, l.classes.unused()...)
	if understood == 0 && len(l.readers) > 0 && len(l.PassedOver) == 0 && len(l.Diagnostics) == 0 && len(l.ObserveErrors) == 0 {
		l.refuse(paths[0], "no file contains a manifest, a plan or a template", noManifestHint)
	}
	observation.SortDiagnostics(l.Diagnostics)
	return l.Loaded
}

// Names returns the files that Load reads for a local path, relative to Dir and sorted.
func Names(path string, opts Options) ([]string, error) {
	return (&loader{opts: opts}).names(path)
}

type loader struct {
	Loaded
	opts    Options
	seen    map[string]bool
	total   int
	classes *classes
	stacks  *stacks
	readers []*reader
}

func (l *loader) errorAt(file, message, hint string) {
	l.Diagnostics = append(l.Diagnostics, observation.Diagnostic{
		Position: target.Position{File: redact.URLs(finding.Clean(cmp.Or(file, `""`), finding.QuoteLimit))}, Message: redact.URLs(message), Hint: hint,
	})
}

// refuse reports an error about a path as a whole.
func (l *loader) refuse(path, message, hint string) {
	at, written := l.opts.Positions[path]
	if !written {
		l.errorAt(path, message, hint)
		return
	}
	l.Diagnostics = append(l.Diagnostics, observation.Diagnostic{Position: at, Message: redact.URLs("the manifests " + finding.Quote(path) + ": " + message), Hint: hint})
}

func (l *loader) path(path string) {
	switch {
	case path == "":
		l.refuse(path, "the path is empty", "name a file, a directory or a pattern such as k8s/*.yaml")
	case path == "-":
		l.stdin()
	case strings.Contains(path, "://"):
		l.remote(path)
	default:
		l.local(path)
	}
}

func (l *loader) stdin() {
	const name = "standard input"
	switch {
	case l.seen[name]:
		return
	case l.opts.Stdin == nil:
		l.errorAt(name, "standard input is not available here", "name files or directories")
		return
	}
	data, err := io.ReadAll(io.LimitReader(l.opts.Stdin, maxFile+1))
	if err != nil {
		l.errorAt(name, "reading standard input: "+clean(err.Error()), "check that the command before the pipe succeeded")
		return
	}
	if len(strings.TrimSpace(string(data))) == 0 {
		l.errorAt(name, "standard input is empty", "check that the command before the pipe wrote output")
		return
	}
	l.file(name, data, true)
}

func (l *loader) remote(path string) {
	if l.opts.Remote == nil {
		l.refuse(path, "certdrift cannot read it here", "copy the manifests to this machine, and name the directory")
		return
	}
	files, err := l.opts.Remote(path)
	for _, f := range files {
		l.file(f.Name, f.Data, false)
	}
	before := len(l.ObserveErrors)
	err = l.noteUnread(err)
	switch {
	case err != nil:
		l.refuse(path, "it cannot be read: "+clean(err.Error()), "check that it exists and that certdrift has permission to list and read it")
	case len(files) == 0 && len(l.ObserveErrors) == before:
		l.refuse(path, "no files found", "end the prefix of a folder with / and put *.yaml or *.json files there")
	}
}

// noteUnread takes the failures to read out of an error, which may join one for each file, and returns the rest.
func (l *loader) noteUnread(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var rest []error
		for _, one := range joined.Unwrap() {
			rest = append(rest, l.noteUnread(one))
		}
		return errors.Join(rest...)
	}
	if read, ok := errors.AsType[unread](err); ok {
		if problem, is := read.Unread(); is {
			l.ObserveErrors = append(l.ObserveErrors, problem)
			return nil
		}
	}
	return err
}

func (l *loader) local(path string) {
	names, err := l.names(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.refuse(path, "it does not exist", "name a file, a directory or a pattern such as k8s/*.yaml")
		return
	case err != nil:
		l.refuse(path, "it cannot be read: "+clean(err.Error()), "check that it exists and is readable")
		return
	case len(names) == 0:
		l.refuse(path, "no manifests found: no *.yaml, *.yml or *.json", "name a directory that contains some, or a file")
		return
	}
	for _, name := range names {
		l.open(name, name == filepath.Clean(path))
	}
}

// open reads a local file; named is whether it was named itself, and not found in a directory or by a pattern.
func (l *loader) open(name string, named bool) {
	where := l.resolve(name)
	info, err := os.Stat(where)
	switch {
	case err != nil:
	case !info.Mode().IsRegular() && (!named || l.opts.Stdin == nil): // a pipe that nobody writes to would hold up a round
		err = errors.New("it is not a regular file")
	case info.Size() > maxFile:
		err = errors.New("it is larger than 32 MiB")
	}
	var data []byte
	if err == nil {
		data, err = readFile(where)
	}
	if err != nil {
		l.refuse(name, "it cannot be read: "+clean(err.Error()), "check that it exists and is readable")
		return
	}
	l.file(name, data, named)
}

// readFile reads a file or, as /dev/stdin and <(…) are, a pipe; no more of it than shows that it is too large.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

func (l *loader) file(name string, data []byte, named bool) {
	if l.seen[name] {
		return
	}
	l.seen[name] = true
	if l.total += len(data); len(l.seen) > maxFiles || l.total > maxTotal {
		if l.total -= len(data); len(l.seen) <= maxFiles+1 {
			l.errorAt(name, fmt.Sprintf("too many manifests: more than %d, or more than %d MiB", maxFiles, maxTotal>>20), "pass only the Services and Ingresses")
		}
		return
	}
	r := &reader{file: name, namespace: l.opts.Namespace, plain: l.opts.Plain, named: named, classes: l.classes, stacks: l.stacks}
	r.read(data)
	l.readers = append(l.readers, r)
}

func (l *loader) resolve(name string) string {
	if l.opts.Dir == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(l.opts.Dir, name)
}

// names returns the files that a local path matches, sorted, as they are shown.
func (l *loader) names(path string) ([]string, error) {
	info, err := os.Stat(l.resolve(path))
	if err == nil && !info.IsDir() {
		return []string{filepath.Clean(path)}, nil
	}
	if err == nil {
		return l.walk(path, isWanted)
	}
	if !strings.ContainsAny(path, "*?[") {
		return nil, err
	}
	if before, after, found := strings.Cut(path, "**"); found {
		pattern := filepath.Base(after)
		return l.walk(filepath.Clean(before+"."), func(name string) bool {
			ok, _ := filepath.Match(pattern, name)
			return ok
		})
	}
	found, err := filepath.Glob(l.resolve(path))
	if err != nil {
		return nil, fmt.Errorf("the pattern: %w", err)
	}
	var names []string
	for _, name := range found {
		if relative, err := filepath.Rel(l.resolve("."), name); err == nil && l.opts.Dir != "" && !filepath.IsAbs(path) {
			name = relative
		}
		if info, err := os.Stat(l.resolve(name)); err != nil || !info.IsDir() {
			names = append(names, name)
			continue
		}
		below, err := l.walk(name, isWanted)
		if err != nil {
			return nil, err
		}
		names = append(names, below...)
	}
	slices.Sort(names)
	return names, nil
}

// walk returns the files below a directory whose base name is wanted. It skips hidden directories and follows symbolic links to
// files, as mounted ConfigMaps require. Like kubectl, it follows none to directories; what lies behind one elsewhere is not known.
func (l *loader) walk(dir string, wanted func(name string) bool) ([]string, error) {
	var names []string
	root, err := filepath.EvalSymlinks(l.resolve(dir)) // the directory itself may be a link
	if err != nil {
		return nil, err
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case d.Type()&fs.ModeSymlink != 0 && l.leadsOut(root, path):
			l.PassedOver = append(l.PassedOver, observation.PassedOver{
				Position: target.Position{File: finding.Clean(filepath.Join(dir, strings.TrimPrefix(path, root)), finding.QuoteLimit)}, Object: "a symbolic link to a directory",
				Why:    "neither certdrift nor kubectl follows it, and other tools may",
				Remedy: "Name the directory that it leads to, or remove the link.",
			})
			return nil
		case d.IsDir() || !wanted(d.Name()):
			return nil
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		names = append(names, filepath.Join(dir, relative))
		if len(names) > maxFiles {
			return filepath.SkipAll
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}

// leadsOut reports whether a symbolic link leads to a directory that is not below root, where it would be read anyway.
func (l *loader) leadsOut(root, link string) bool {
	to, err := filepath.EvalSymlinks(link)
	if err != nil || strings.HasPrefix(filepath.Base(link), ".") {
		return false
	}
	info, err := os.Stat(to)
	below, outside := filepath.Rel(root, to)
	return err == nil && info.IsDir() && (outside != nil || below == ".." || strings.HasPrefix(below, ".."+string(filepath.Separator)))
}

// isWanted reports whether a directory's file of this name is read. Kustomization is the one name without an ending that kustomize reads.
func isWanted(name string) bool { return isManifest(name) || name == "Kustomization" }

func isManifest(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(filepath.Ext(name)))
}
