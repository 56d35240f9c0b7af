// Package source reads the configuration and the manifests from where a deployed function has them: an S3 object or
// prefix, a parameter of the Systems Manager, or files beside the program. Everything is bounded in size and number, and
// a failure says what to do about it.
package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"

	"certdrift/internal/awsio/awserr"
	"certdrift/internal/observation"
)

// The limits: of one file, of the files of one prefix or directory, and of all of them together.
const (
	MaxFile  = 4 << 20
	MaxFiles = 500
	MaxTotal = 16 << 20
	maxPages = 50
)

// objectAPI is what is asked of S3.
type objectAPI interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
}

// parameterAPI is what is asked of the Systems Manager.
type parameterAPI interface {
	GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error)
}

// Options are what a Reader needs. A nil client is one whose kind of place cannot be read.
type Options struct {
	S3  objectAPI
	SSM parameterAPI
	// Dir is what relative paths start from: the deployment package in a function; empty for the working directory.
	Dir string
}

// Reader reads files from their places.
type Reader struct{ options Options }

// New makes a Reader.
func New(o Options) *Reader {
	if o.Dir != "" {
		// A path found under Dir is looked up again by its name, which must not be joined to Dir twice.
		if full, err := filepath.Abs(o.Dir); err == nil {
			o.Dir = full
		}
	}
	return &Reader{options: o}
}

// File is what was read, with the place that a person knows it by.
type File struct {
	Name string
	Data []byte
}

// Error is a place that could not be read.
type Error struct {
	Place string
	Err   error
	// Advice is what to do about it; empty where nothing better than the error can be said.
	Advice string
}

// Error implements error.
func (e *Error) Error() string {
	text := fmt.Sprintf("reading %q: %s", e.Place, awserr.Text(e.Err))
	if e.Advice != "" {
		text += "; hint: " + e.Advice
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Hint is the advice alone.
func (e *Error) Hint() string { return e.Advice }

// ObserveErrorKind returns the kind under which the failure is reported.
func (e *Error) ObserveErrorKind() observation.ObserveErrorKind { return awserr.Kind(e.Err) }

// Unread reports whether AWS did not deliver the file, because it denied or throttled the call or did not answer, and returns
// the ObserveError to report. Otherwise the location is wrong, or the object there is.
func (e *Error) Unread() (observation.ObserveError, bool) {
	if e.ObserveErrorKind() == observation.Incomplete && !errors.Is(e.Err, context.DeadlineExceeded) {
		return observation.ObserveError{}, false
	}
	return awserr.Of(e.Err, action(e.Place, e.Err), "", "", e.Place), true
}

// action names the right that reading a place takes, as IAM does.
func action(place string, err error) string {
	call, _ := errors.AsType[*smithy.OperationError](err)
	switch {
	case !strings.HasPrefix(place, "s3://"):
		return "ssm:GetParameter"
	case call != nil && call.OperationName == "ListObjectsV2":
		return "s3:ListBucket"
	}
	return "s3:GetObject"
}

var (
	errTooLarge = fmt.Errorf("it is larger than %d KiB", MaxFile>>10)
	errTooMany  = fmt.Errorf("it contains more than %d files or %d MiB", MaxFiles, MaxTotal>>20)
	errPattern  = errors.New("S3 does not support patterns")
	errNoClient = errors.New("no AWS client is available to read it")
)

// Remote reports whether a place is reached through AWS.
func Remote(place string) bool {
	return strings.HasPrefix(place, "s3://") || strings.HasPrefix(place, "ssm://")
}

// Read reads one file: s3://BUCKET/KEY, ssm:///NAME (a SecureString is decrypted), or a path.
func (r *Reader) Read(ctx context.Context, place string) ([]byte, error) {
	var data []byte
	var err error
	switch {
	case strings.HasPrefix(place, "s3://"):
		data, err = r.object(ctx, place)
	case strings.HasPrefix(place, "ssm://"):
		data, err = r.parameter(ctx, place)
	default:
		data, err = r.file(place)
	}
	if err != nil {
		return nil, failed(place, err)
	}
	return data, nil
}

// Files reads all manifests (.yaml, .yml, .json) of a place: of an S3 prefix (s3://BUCKET/PREFIX/), of a directory with
// those below it, of a pattern as filepath.Match has it; or the one file that it is. They come sorted by name. Where
// some cannot be read, the others come with the error.
func (r *Reader) Files(ctx context.Context, place string) ([]File, error) {
	var names []string
	var err error
	switch {
	case strings.HasPrefix(place, "s3://") && strings.HasSuffix(place, "/"):
		names, err = r.objects(ctx, place)
	case Remote(place) && strings.ContainsAny(place, "*?["):
		err = errPattern
	case Remote(place):
		names = []string{place}
	default:
		names, err = r.paths(place)
	}
	if err != nil {
		return nil, failed(place, err)
	}
	var files []File
	var errs []error
	total := 0
	for _, name := range names {
		data, err := r.Read(ctx, name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if total += len(data); total > MaxTotal {
			return files, errors.Join(append(errs, failed(place, errTooMany))...)
		}
		files = append(files, File{Name: name, Data: data})
	}
	return files, errors.Join(errs...)
}

// manifest reports whether a file's name is that of a manifest.
func manifest(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

func (r *Reader) file(name string) ([]byte, error) {
	f, err := os.Open(r.local(name)) // the operator names the file
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	return bounded(f)
}

func (r *Reader) local(name string) string {
	if r.options.Dir == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(r.options.Dir, name)
}

// paths are the manifests behind a path: a file, a directory, a pattern.
func (r *Reader) paths(place string) ([]string, error) {
	local := r.local(place)
	info, err := os.Stat(local)
	switch {
	case err == nil && info.IsDir():
		return walk(local)
	case err == nil:
		return []string{place}, nil
	}
	found, globbed := filepath.Glob(local)
	if globbed != nil || len(found) == 0 {
		return nil, err
	}
	if len(found) > MaxFiles {
		return nil, errTooMany
	}
	slices.Sort(found)
	return found, nil
}

func walk(dir string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case len(names) > MaxFiles:
			return errTooMany
		case entry.IsDir() && name != dir && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir // .git and its like
		case !entry.IsDir() && manifest(name):
			names = append(names, name)
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}

func bounded(from io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(from, MaxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxFile {
		return nil, errTooLarge
	}
	return data, nil
}

// parameter reads ssm:///NAME. A parameter may be a text or a SecureString.
func (r *Reader) parameter(ctx context.Context, place string) ([]byte, error) {
	name := strings.TrimPrefix(place, "ssm://")
	if r.options.SSM == nil {
		return nil, errNoClient
	}
	if strings.Trim(name, "/") == "" {
		return nil, errors.New("it does not name a parameter: write ssm:///NAME")
	}
	out, err := r.options.SSM.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String(name), WithDecryption: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	if out.Parameter == nil {
		return nil, errors.New("AWS returned no parameter")
	}
	return []byte(aws.ToString(out.Parameter.Value)), nil
}

// failed adds what to do about it.
func failed(place string, err error) error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	return &Error{Place: place, Err: err, Advice: advice(place, err)}
}

func advice(place string, err error) string {
	inBucket := strings.HasPrefix(place, "s3://")
	denied := awserr.Kind(err) == observation.Denied
	switch code := awserr.Code(err); {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file; a function can read files in its deployment package, s3://BUCKET/KEY and ssm:///NAME"
	case errors.Is(err, errPattern):
		return "use a prefix that ends in \"/\"; all manifests under it are read"
	case errors.Is(err, errTooLarge), errors.Is(err, errTooMany):
		return "split it, or name a narrower path"
	case errors.Is(err, context.DeadlineExceeded):
		return "no response; functions in a VPC (SubnetIds) reach AWS only through a NAT gateway or VPC endpoints"
	case code == "NoSuchBucket":
		return "there is no such bucket; check its name"
	case code == "NoSuchKey":
		return "there is no such object; a prefix ends in \"/\""
	case code == "ParameterNotFound":
		return "there is no such parameter in this region; a name in a hierarchy is written ssm:///PATH/NAME"
	case code == "PermanentRedirect", code == "AuthorizationHeaderMalformed":
		return "the bucket is in another region than the function"
	case denied && strings.Contains(strings.ToLower(err.Error()), "kms"):
		return "the role needs kms:Decrypt on the key that it is encrypted with"
	case denied && inBucket:
		return "the role needs s3:GetObject, and s3:ListBucket for a prefix or to distinguish a missing object from a forbidden one"
	case denied:
		return "the role needs ssm:GetParameter on it"
	}
	return ""
}
