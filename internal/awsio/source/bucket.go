package source

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// split parts s3://BUCKET/KEY.
func split(place string) (bucket, key string, err error) {
	bucket, key, _ = strings.Cut(strings.TrimPrefix(place, "s3://"), "/")
	if bucket == "" {
		return "", "", errors.New("it does not name a bucket: write s3://BUCKET/KEY")
	}
	return bucket, key, nil
}

func (r *Reader) object(ctx context.Context, place string) ([]byte, error) {
	bucket, key, err := split(place)
	switch {
	case err != nil:
		return nil, err
	case key == "" || strings.HasSuffix(key, "/"):
		return nil, errors.New("it is a prefix, but one object is needed: write s3://BUCKET/KEY")
	case r.options.S3 == nil:
		return nil, errNoClient
	}
	out, err := r.options.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
	if err != nil {
		return nil, err
	}
	defer out.Body.Close() //nolint:errcheck // it was only read
	if aws.ToInt64(out.ContentLength) > MaxFile {
		return nil, errTooLarge
	}
	return bounded(out.Body)
}

// objects are the manifests under a prefix, sorted. Those that are larger than any manifest are requested all the
// same, so that they are reported.
func (r *Reader) objects(ctx context.Context, place string) ([]string, error) {
	bucket, prefix, err := split(place)
	if err != nil {
		return nil, err
	}
	if r.options.S3 == nil {
		return nil, errNoClient
	}
	in := &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: aws.String(prefix)}
	var names []string
	seen := map[string]bool{}
	for range maxPages {
		out, err := r.options.S3.ListObjectsV2(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, o := range out.Contents {
			if manifest(aws.ToString(o.Key)) {
				names = append(names, "s3://"+bucket+"/"+aws.ToString(o.Key))
			}
		}
		if len(names) > MaxFiles {
			return nil, errTooMany
		}
		token := aws.ToString(out.NextContinuationToken)
		if !aws.ToBool(out.IsTruncated) || token == "" || seen[token] {
			slices.Sort(names)
			return names, nil
		}
		seen[token] = true
		in.ContinuationToken = aws.String(token)
	}
	return nil, errTooMany
}
