"""Deploys the template to the emulator as `sam deploy` would to AWS: uploads packages and nested templates, creates the stack.

Usage: deploy.py ENDPOINT TEMPLATE PACKAGES OUT [PARAMETER=VALUE…]

PACKAGES holds LOGICAL-ID.zip. Prints what the deployed stack says of itself, in JSON: its outputs, and each function's
environment, time-out and handler as Lambda gives them back.
"""

import json
import os
import sys

import boto3

import translate

BUCKET = "certdrift-packages"
STACK = "certdrift"


def main(endpoint, template, packages, out, *settings):
    def client(service):
        return boto3.client(
            service,
            endpoint_url=endpoint,
            region_name=os.environ["AWS_REGION"],
            aws_access_key_id="deployer",
            aws_secret_access_key="deployer",
        )

    translate.main(template, BUCKET, out, *settings)
    s3 = client("s3")
    s3.create_bucket(
        Bucket=BUCKET,
        CreateBucketConfiguration={"LocationConstraint": os.environ["AWS_REGION"]},
    )
    for name in os.listdir(packages):
        if name.endswith(".zip"):
            s3.upload_file(os.path.join(packages, name), BUCKET, name)
    for name in ["template.json"] + [
        os.path.join("infra", n) for n in os.listdir(os.path.join(out, "infra"))
    ]:
        s3.upload_file(os.path.join(out, name), BUCKET, name)

    cloudformation = client("cloudformation")
    cloudformation.create_stack(
        StackName=STACK,
        TemplateURL=f"https://{BUCKET}.s3.amazonaws.com/template.json",
        Parameters=[
            {"ParameterKey": k, "ParameterValue": v}
            for k, v in (s.split("=", 1) for s in settings)
        ],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    functions = {}
    for f in client("lambda").list_functions()["Functions"]:
        functions[f["FunctionName"]] = {
            "arn": f["FunctionArn"],
            "role": f["Role"].rsplit("/", 1)[-1],
            "environment": f["Environment"]["Variables"],
            "timeout": f["Timeout"],
            "memory": f["MemorySize"],
            "handler": f["Handler"],
            "runtime": f["Runtime"],
        }
    json.dump(
        {
            "status": stack["StackStatus"],
            "outputs": {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]},
            "functions": functions,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
