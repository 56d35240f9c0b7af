"""Makes of template.yaml what CloudFormation would make of it, for an emulator that knows no transforms.

Usage: translate.py TEMPLATE BUCKET OUT [PARAMETER=VALUE…]

The Serverless transform is AWS's own (samtranslator). Code and nested templates are pointed at BUCKET: OUT/template.json is
the root, OUT/infra/*.json the nested ones, to be uploaded under those names beside LOGICAL-ID.zip.

A release's template names its bucket itself: with --released for BUCKET only the transform is made, from TEMPLATE to OUT.
"""

import json
import os
import sys

os.environ.setdefault("AWS_DEFAULT_REGION", "us-west-2")

from samtranslator.translator.transform import transform  # noqa: E402  (wants a region when it is loaded)
from samtranslator.yaml_helper import yaml_parse  # noqa: E402


class NoManagedPolicies:
    """The template names no managed policy, so there is nothing to look up."""

    def load(self):
        return {}


def main(path, bucket, out, *settings):
    parameters = dict(s.split("=", 1) for s in settings)
    root = os.path.dirname(os.path.abspath(path))
    with open(path) as f:
        template = yaml_parse(f)
    os.makedirs(os.path.join(out, "infra"), exist_ok=True)

    template.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            properties["CodeUri"] = f"s3://{bucket}/{name}.zip"
        elif resource["Type"] == "AWS::CloudFormation::Stack":
            nested = properties["TemplateURL"]
            key = os.path.splitext(nested)[0] + ".json"
            with open(os.path.join(root, nested)) as f:
                body = yaml_parse(f)
            with open(os.path.join(out, key), "w") as f:
                json.dump(body, f, indent=1)
            properties["TemplateURL"] = f"https://{bucket}.s3.amazonaws.com/{key}"

    write(template, parameters, os.path.join(out, "template.json"))


def released(path, out, *settings):
    with open(path) as f:
        template = json.load(f)
    write(template, dict(s.split("=", 1) for s in settings), out)


def write(template, parameters, path):
    translated = transform(template, parameters, NoManagedPolicies())
    translated.pop("Rules", None)  # assertions on parameters; CloudFormation checks them, the emulator does not know them
    with open(path, "w") as f:
        json.dump(translated, f, indent=1)


if __name__ == "__main__":
    if sys.argv[2] == "--released":
        released(sys.argv[1], *sys.argv[3:])
    else:
        main(*sys.argv[1:])
