package source_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"certdrift/internal/awsio/source"
	"certdrift/internal/observation"
)

// bucket lists two objects a page. An object whose value is "denied" may be listed and not read.
type bucket map[string]string

func (b bucket) GetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	if aws.ToString(in.Bucket) != "conf" {
		return nil, &smithy.GenericAPIError{Code: "NoSuchBucket", Message: "The specified bucket does not exist"}
	}
	body, ok := b[aws.ToString(in.Key)]
	switch {
	case !ok:
		return nil, &s3types.NoSuchKey{Message: aws.String("The specified key does not exist.")}
	case body == "denied":
		return nil, &smithy.GenericAPIError{Code: "AccessDenied", Message: "no"}
	}
	// ContentLength is left out, as with a chunked answer: the bound must hold all the same.
	return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader(body))}, nil
}

func (b bucket) ListObjectsV2(_ context.Context, in *s3.ListObjectsV2Input, _ ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	out := &s3.ListObjectsV2Output{IsTruncated: aws.Bool(false)}
	for _, key := range slices.Sorted(maps.Keys(b)) {
		if !strings.HasPrefix(key, aws.ToString(in.Prefix)) || key <= aws.ToString(in.ContinuationToken) {
			continue
		}
		if len(out.Contents) == 2 {
			out.IsTruncated, out.NextContinuationToken = aws.Bool(true), out.Contents[1].Key
			break
		}
		out.Contents = append(out.Contents, s3types.Object{Key: aws.String(key)})
	}
	return out, nil
}

type parameters map[string]string

func (p parameters) GetParameter(_ context.Context, in *ssm.GetParameterInput, _ ...func(*ssm.Options)) (*ssm.GetParameterOutput, error) {
	value, ok := p[aws.ToString(in.Name)]
	if !ok {
		return nil, &ssmtypes.ParameterNotFound{}
	}
	if !aws.ToBool(in.WithDecryption) {
		value = "AQICAHh…" // what a SecureString looks like when nobody decrypts it
	}
	return &ssm.GetParameterOutput{Parameter: &ssmtypes.Parameter{Value: aws.String(value)}}, nil
}

func reader(t *testing.T) *source.Reader {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"certdrift.yaml": "version: 1", "k8s/b.yml": "b", "k8s/a/a.yaml": "a", "k8s/README.md": "no", "k8s/.git/c.yaml": "no", "plan.json": "{}",
	} {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return source.New(source.Options{
		Dir: dir,
		S3: bucket{
			"certdrift.yaml": "version: 1", "k8s/1.yaml": "one", "k8s/2.yml": "two", "k8s/deep/3.json": "three", "k8s/notes.txt": "no",
			"k8s/": "", "large.yaml": strings.Repeat("x", source.MaxFile+1), "mixed/a.yaml": "a", "mixed/b.yaml": "denied", "mixed/c.yaml": "c",
		},
		SSM: parameters{"/certdrift/config": "version: 1"},
	})
}

func TestRead(t *testing.T) {
	r := reader(t)
	for _, place := range []string{"certdrift.yaml", "s3://conf/certdrift.yaml", "ssm:///certdrift/config"} {
		if data, err := r.Read(t.Context(), place); err != nil || !bytes.Equal(data, []byte("version: 1")) {
			t.Errorf("%s: %q, %v", place, data, err)
		}
	}
}

func TestWhatCannotBeReadSaysWhatToDo(t *testing.T) {
	r := reader(t)
	for place, hint := range map[string]string{
		"gone.yaml":              "deployment package",
		"s3://conf/gone.yaml":    "no such object",
		"s3://other/x.yaml":      "no such bucket",
		"s3://conf/k8s/":         "s3://BUCKET/KEY",
		"s3://":                  "s3://BUCKET/KEY",
		"s3://conf/large.yaml":   "split it",
		"s3://conf/mixed/b.yaml": "s3:GetObject",
		"ssm:///gone":            "no such parameter",
		"ssm:///":                "ssm:///NAME",
	} {
		_, err := r.Read(t.Context(), place)
		if err == nil || !strings.Contains(err.Error(), hint) || !strings.Contains(err.Error(), `"`+place+`"`) {
			t.Errorf("%s: %v", place, err)
		}
	}
	if _, err := source.New(source.Options{}).Read(t.Context(), "s3://conf/x.yaml"); err == nil {
		t.Error("read without a client")
	}
}

// unreachable answers as the SDK does when the round's time is over first.
type unreachable struct{ bucket }

func (unreachable) GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	return nil, &smithy.OperationError{ServiceID: "S3", OperationName: "GetObject", Err: context.DeadlineExceeded}
}

func TestWhereNothingAnswersTheVPCIsNamed(t *testing.T) {
	_, err := source.New(source.Options{S3: unreachable{}}).Read(t.Context(), "s3://conf/certdrift.yaml")
	if err == nil || !strings.Contains(err.Error(), "VPC") {
		t.Errorf("error %v, want the VPC named", err)
	}
}

func TestFiles(t *testing.T) {
	r := reader(t)
	for place, want := range map[string][]string{
		"s3://conf/k8s/":       {"one", "two", "three"},
		"s3://conf/k8s/1.yaml": {"one"},
		"k8s":                  {"a", "b"},
		"k8s/*.yml":            {"b"},
		"plan.json":            {"{}"},
		"s3://conf/nothing/":   nil,
	} {
		files, err := r.Files(t.Context(), place)
		if err != nil {
			t.Errorf("%s: %v", place, err)
		}
		var got []string
		for _, f := range files {
			got = append(got, string(f.Data))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", place, diff)
		}
	}
	if _, err := r.Files(t.Context(), "s3://conf/k8s/*.yaml"); err == nil || !strings.Contains(err.Error(), "a prefix that ends in") {
		t.Errorf("a pattern in S3: %v, want a hint how a prefix is written", err)
	}
	if _, err := r.Files(t.Context(), "gone/*.yaml"); err == nil {
		t.Error("a pattern that fits nothing passes in silence")
	}
}

func TestARelativeDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.MkdirAll("package/k8s", 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("package/k8s/a.yaml", []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := source.New(source.Options{Dir: "package"})
	for _, place := range []string{"k8s", "k8s/*.yaml", "k8s/a.yaml"} {
		if files, err := r.Files(t.Context(), place); err != nil || len(files) != 1 {
			t.Errorf("%s: %v, %v", place, files, err)
		}
	}
}

func TestOneUnreadableFileDoesNotHideTheOthers(t *testing.T) {
	files, err := reader(t).Files(t.Context(), "s3://conf/mixed/")
	if len(files) != 2 || files[0].Name != "s3://conf/mixed/a.yaml" {
		t.Errorf("read %v", files)
	}
	failure, ok := errors.AsType[*source.Error](err)
	if !ok || failure.Place != "s3://conf/mixed/b.yaml" || failure.ObserveErrorKind() != observation.Denied {
		t.Errorf("error %v", err)
	}
}

func TestTooManyFiles(t *testing.T) {
	b := bucket{}
	for i := range source.MaxFiles + 1 {
		b["k8s/"+strings.Repeat("x", i)+".yaml"] = ""
	}
	if _, err := source.New(source.Options{S3: b}).Files(t.Context(), "s3://conf/k8s/"); err == nil {
		t.Error("all of them were read")
	}
}
