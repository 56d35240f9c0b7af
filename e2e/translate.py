"""Makes of template.yaml what CloudFormation would make of it, for an emulator that knows no transforms.

Usage: translate.py TEMPLATE BUCKET OUT [PARAMETER=VALUE…]

The Serverless transform is AWS's own (samtranslator). Fn::ForEach of AWS::LanguageExtensions is expanded here, over lists
that are parameters. Code and nested templates are pointed at BUCKET: OUT/template.json is the root, OUT/infra/*.json the
nested ones, to be uploaded under those names beside LOGICAL-ID.zip.
"""

import json
import os
import re
import sys

os.environ.setdefault("AWS_DEFAULT_REGION", "us-west-2")

from samtranslator.translator.transform import transform  # noqa: E402  (wants a region when it is loaded)
from samtranslator.yaml_helper import yaml_parse  # noqa: E402


class NoManagedPolicies:
    """The template names no managed policy, so there is nothing to look up."""

    def load(self):
        return {}


def substitute(value, name, item):
    """Replaces what a ForEach loop knows its item by: ${name}, &{name} and a Ref."""
    if isinstance(value, dict):
        if value == {"Ref": name}:
            return item
        return {
            substitute(k, name, item): substitute(v, name, item)
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [substitute(v, name, item) for v in value]
    if isinstance(value, str):
        value = value.replace("&{" + name + "}", re.sub("[^A-Za-z0-9]", "", item))
        return value.replace("${" + name + "}", item)
    return value


def expand(template, parameters):
    """Expands Fn::ForEach among the resources, over a list parameter."""
    resources = {}
    for key, value in template["Resources"].items():
        if not key.startswith("Fn::ForEach::"):
            resources[key] = value
            continue
        name, items, body = value
        declared = template["Parameters"][items["Ref"]]
        for item in parameters.get(items["Ref"], declared["Default"]).split(","):
            resources.update(substitute(body, name, item))
    template["Resources"] = resources
    template.pop("Transform", None)
    return template


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
                body = expand(yaml_parse(f), parameters)
            with open(os.path.join(out, key), "w") as f:
                json.dump(body, f, indent=1)
            properties["TemplateURL"] = f"https://{bucket}.s3.amazonaws.com/{key}"

    translated = transform(template, parameters, NoManagedPolicies())
    translated.pop("Rules", None)  # assertions on parameters; CloudFormation checks them, the emulator does not know them
    with open(os.path.join(out, "template.json"), "w") as f:
        json.dump(translated, f, indent=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
