package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// release is what a template of a release knows of it.
type release struct{ version, bucket string }

// prefix is where the release's files are by default.
func (r release) prefix() string { return "certdrift/" + r.version + "/" }

// rewrite turns the source tree's template into the release's.
func (r release) rewrite(template map[string]any) error {
	parameters, err := section(template, "Parameters")
	if err != nil {
		return err
	}
	r.addParameters(parameters)
	metadata, err := section(template, "Metadata")
	if err != nil {
		return err
	}
	metadata["AWS::ServerlessRepo::Application"] = r.application()
	if err := group(metadata); err != nil {
		return err
	}
	rules, err := section(template, "Rules")
	if err != nil {
		return err
	}
	rules["PackagesHoldNoConfiguration"] = configuredElsewhere()
	globals, err := section(template, "Globals", "Function")
	if err != nil {
		return err
	}
	delete(globals, "CodeUri")
	globals["Architectures"] = []any{ref("Architecture")}
	resources, err := section(template, "Resources")
	if err != nil {
		return err
	}
	return r.fromBucket(resources)
}

// section returns the mapping at a path.
func section(template map[string]any, path ...string) (map[string]any, error) {
	at := template
	for _, key := range path {
		next, ok := at[key].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("there is no mapping %s", strings.Join(path, "."))
		}
		at = next
	}
	return at, nil
}

func ref(name string) map[string]any { return map[string]any{"Ref": name} }

func sub(text string) map[string]any { return map[string]any{"Fn::Sub": text} }

func (r release) addParameters(parameters map[string]any) {
	bucket := map[string]any{
		"Type": "String", "AllowedPattern": "^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", // no dots: they break the host name's certificate
		"ConstraintDescription": "a bucket name without dots and without s3://",
		"Description":           "The S3 bucket that holds the release, in the region of the stack.",
	}
	if r.bucket != "" {
		bucket["Default"] = r.bucket
	}
	parameters["ReleaseBucket"] = bucket
	parameters["ReleasePrefix"] = map[string]any{
		"Type": "String", "Default": r.prefix(), "AllowedPattern": `^([^/\s]\S*/)?$`,
		"ConstraintDescription": "a prefix that ends in a slash, without a leading one, or empty",
		"Description":           "The prefix of the release's objects in ReleaseBucket.",
	}
	parameters["Architecture"] = map[string]any{
		"Type": "String", "Default": "arm64", "AllowedValues": []any{"arm64", "x86_64"},
		"Description": "The processor architecture of the functions.",
	}
	for _, name := range []string{"ConfigBucket", "ConfigParameter"} {
		if p, ok := parameters[name].(map[string]any); ok {
			what := map[string]string{"ConfigBucket": "S3 bucket", "ConfigParameter": "SSM parameter"}[name]
			p["Description"] = "The " + what + " to read the configuration from. One of ConfigBucket and ConfigParameter is required; ConfigBucket wins."
		}
	}
}

// group shows the release's parameters first.
func group(metadata map[string]any) error {
	layout, err := section(metadata, "AWS::CloudFormation::Interface")
	if err != nil {
		return err
	}
	groups, ok := layout["ParameterGroups"].([]any)
	if !ok {
		return errors.New("there are no ParameterGroups")
	}
	first := map[string]any{
		"Label":      map[string]any{"default": "Release"},
		"Parameters": []any{"ReleaseBucket", "ReleasePrefix", "Architecture"},
	}
	layout["ParameterGroups"] = append([]any{first}, groups...)
	return nil
}

// configuredElsewhere rejects a stack whose functions would find no configuration: the released packages hold none.
func configuredElsewhere() map[string]any {
	empty := func(name string) any { return map[string]any{"Fn::Equals": []any{ref(name), ""}} }
	return map[string]any{"Assertions": []any{map[string]any{
		"Assert":            map[string]any{"Fn::Not": []any{map[string]any{"Fn::And": []any{empty("ConfigBucket"), empty("ConfigParameter")}}}},
		"AssertDescription": "The released packages hold no configuration. Put certdrift.yaml into S3 or SSM, and set ConfigBucket or ConfigParameter.",
	}}}
}

// fromBucket has the functions' code and the nested templates read from the release's bucket.
func (r release) fromBucket(resources map[string]any) error {
	functions, nested := 0, 0
	for id := range resources {
		resource, err := section(resources, id)
		if err != nil {
			return err
		}
		switch resource["Type"] {
		case "AWS::Serverless::Function":
			properties, err := section(resource, "Properties")
			if err != nil {
				return fmt.Errorf("in %s: %w", id, err)
			}
			functions++
			delete(resource, "Metadata") // how SAM builds it
			properties["CodeUri"] = map[string]any{
				"Bucket": ref("ReleaseBucket"), "Key": sub("${ReleasePrefix}" + id + "_" + r.version + "_${Architecture}.zip"),
			}
		case "AWS::CloudFormation::Stack":
			properties, err := section(resource, "Properties")
			if err != nil {
				return fmt.Errorf("in %s: %w", id, err)
			}
			nested++
			properties["TemplateURL"] = sub(fmt.Sprintf("https://${ReleaseBucket}.s3.${AWS::Region}.${AWS::URLSuffix}/${ReleasePrefix}%s", properties["TemplateURL"]))
		}
	}
	if functions == 0 || nested == 0 {
		return fmt.Errorf("%d functions and %d nested templates", functions, nested)
	}
	return nil
}

// application describes the release to the Serverless Application Repository, which takes no function calls here.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-template-publishing-applications-metadata-properties.html
func (r release) application() map[string]any {
	out := map[string]any{
		"Name": "certdrift", "Author": "certdrift", "SpdxLicenseId": "Apache-2.0", "SemanticVersion": r.semantic(),
		"Description": "Monitors the certificates behind AWS load balancers: is the certificate that clients get the one that was declared, and does the endpoint behind it work?",
		"Labels":      []any{"acm", "certificates", "elb", "monitoring", "tls"},
	}
	if r.bucket != "" {
		out["LicenseUrl"] = "s3://" + r.bucket + "/" + r.prefix() + "LICENSE"
		out["ReadmeUrl"] = "s3://" + r.bucket + "/" + r.prefix() + "README.md"
	}
	return out
}

var semanticVersion = regexp.MustCompile(`^v?((?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?)$`)

// semantic is the version as https://semver.org has it; a build between tags comes before every release.
func (r release) semantic() string {
	if m := semanticVersion.FindStringSubmatch(r.version); m != nil {
		return m[1]
	}
	return "0.0.0-dev-" + regexp.MustCompile(`[^0-9A-Za-z-]`).ReplaceAllString(r.version, "-")
}
