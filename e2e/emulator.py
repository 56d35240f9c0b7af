"""Runs moto's server with what its CloudFormation lacks and the template needs: five resource types, the outputs of
nested stacks, AWS::NoValue in lists, and policies of roles that can be read back; with queues for email, SMS and
subscribed functions; and with listeners whose SNI list is a list of its own, as in AWS.

Usage: emulator.py PORT

An alarm on a Metrics Insights query keeps its name, description and actions only. The resources are made through the very backends that the SNS and CloudWatch APIs of the emulator read, so that what the stack made
can be listed, described and published to. moto evaluates no alarms; the tests hold alarms against metrics themselves.
"""

import json
import os
import sys

from moto.cloudformation import parsing
from moto.cloudformation.models import Stack
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.common_models import CloudFormationModel
from moto.elbv2.models import ELBv2Backend
from moto.events.models import events_backends
from moto.iam import models as iam_models
from moto.iam.models import Role
from moto.server import main
from moto.sns import models as sns_models
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends


class Made(CloudFormationModel):
    """What CloudFormation needs to know of a resource: its Ref and its ARN."""

    __module__ = "moto.cloudformation"  # moto files its models by the service in their module's name

    def __init__(self, physical_resource_id, arn=None):
        self.physical_resource_id = physical_resource_id
        self.arn = arn

    @staticmethod
    def cloudformation_name_type():
        return ""

    @staticmethod
    def cloudformation_type():
        return "Certdrift::Made"

    @classmethod
    def has_cfn_attr(cls, attr):
        return attr == "Arn"

    def get_cfn_attribute(self, attr):
        if attr == "Arn" and self.arn:
            return self.arn
        raise KeyError(attr)

    def is_created(self):
        return True


class Subscription(Made, CloudFormationModel):
    __module__ = "moto.sns"

    @staticmethod
    def cloudformation_type():
        return "AWS::SNS::Subscription"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        properties = cloudformation_json["Properties"]
        backend = sns_backends[account_id][region_name]
        made = backend.subscribe(
            properties["TopicArn"], properties["Endpoint"], properties["Protocol"]
        )
        for name in ("FilterPolicy", "RedrivePolicy"):
            if name in properties:
                backend.set_subscription_attributes(
                    made.arn, name, json.dumps(properties[name])
                )
        return cls(made.arn)


class Alarm(Made, CloudFormationModel):
    __module__ = "moto.cloudwatch"

    @staticmethod
    def cloudformation_type():
        return "AWS::CloudWatch::Alarm"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        properties = cloudformation_json["Properties"]
        made = cloudwatch_backends[account_id][region_name].put_metric_alarm(
            name=properties["AlarmName"],
            namespace=properties.get("Namespace"),
            metric_name=properties.get("MetricName"),
            comparison_operator=properties.get("ComparisonOperator"),
            evaluation_periods=int(properties.get("EvaluationPeriods", 1)),
            datapoints_to_alarm=properties.get("DatapointsToAlarm"),
            period=int(properties.get("Period", 60)),
            threshold=float(properties.get("Threshold", 0)),
            statistic=properties.get("Statistic"),
            description=properties.get("AlarmDescription", ""),
            dimensions=properties.get("Dimensions", []),
            alarm_actions=properties.get("AlarmActions", []),
            ok_actions=properties.get("OKActions", []),
            treat_missing_data=properties.get("TreatMissingData"),
            rule=properties.get("AlarmRule"),
        )
        return cls(made.name, made.alarm_arn)


class CompositeAlarm(Alarm, CloudFormationModel):
    __module__ = "moto.cloudwatch"

    @staticmethod
    def cloudformation_type():
        return "AWS::CloudWatch::CompositeAlarm"


class Connection(Made, CloudFormationModel):
    __module__ = "moto.events"

    @staticmethod
    def cloudformation_type():
        return "AWS::Events::Connection"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        properties = cloudformation_json["Properties"]
        made = events_backends[account_id][region_name].create_connection(
            properties["Name"], "", properties["AuthorizationType"], properties["AuthParameters"]
        )
        return cls(made.name, made.arn)


class ApiDestination(Made, CloudFormationModel):
    __module__ = "moto.events"

    @staticmethod
    def cloudformation_type():
        return "AWS::Events::ApiDestination"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        properties = cloudformation_json["Properties"]
        made = events_backends[account_id][region_name].create_api_destination(
            properties["Name"],
            "",
            properties["ConnectionArn"],
            properties["InvocationEndpoint"],
            properties["InvocationRateLimitPerSecond"],
            properties["HttpMethod"],
        )
        return cls(properties["Name"], made["ApiDestinationArn"])


def nested_output(stack, attribute):
    """What Fn::GetAtt: [NestedStack, Outputs.NAME] gives."""
    outputs = {output.key: output.value for output in stack.output_map.values() if output}
    return outputs[attribute.removeprefix("Outputs.")]


Stack.get_cfn_attribute = nested_output

clean_json = parsing.clean_json


def without_no_value(value, resources):
    """AWS::NoValue takes an element out of a list; moto leaves None there."""
    cleaned = clean_json(value, resources)
    if isinstance(cleaned, list):
        return [element for element in cleaned if element is not None]
    return cleaned


parsing.clean_json = without_no_value

put_policy = Role.put_policy


def put_policy_as_json(role, name, document):
    """GetRolePolicy gives JSON; moto keeps what CloudFormation gave it, a dictionary, and answers with its repr."""
    if isinstance(document, dict):
        document = json.dumps(document)
    put_policy(role, name, document)


Role.put_policy = put_policy_as_json


publish_to_subscription = sns_models.Subscription.publish


def publish_to_people(subscription, message, message_id, **kwargs):
    """moto drops what it would send to people, and runs subscribed functions in containers. Here both go to a queue named
    after the protocol, where there is one: the text alone, past the subscription's filter policy."""
    if subscription.protocol in ("email", "sms", "lambda"):
        matcher = subscription._filter_policy_matcher
        if matcher is None or matcher.matches(kwargs.get("message_attributes"), message):
            region = subscription.topic.arn.split(":")[3]
            queues = sqs_backends[subscription.account_id][region]
            if subscription.protocol in queues.queues:
                if kwargs.get("message_structure") == "json":
                    message = subscription._parse_message_structure(message, subscription.protocol)
                queues.send_message(subscription.protocol, message)
        return None
    return publish_to_subscription(subscription, message, message_id, **kwargs)


sns_models.Subscription.publish = publish_to_people


modify_listener = ELBv2Backend.modify_listener


def modify_default_alone(backend, arn, port=None, protocol=None, ssl_policy=None, certificates=None, actions=None):
    """ModifyListener sets the default certificate and leaves the SNI list alone; moto drops the list, and knows no TLS."""
    listener = backend.describe_listeners(load_balancer_arn=None, listener_arns=[arn])[0]
    listed, wanted = listener.certificates[1:], protocol or listener.protocol
    modify_listener(backend, arn, port, None if protocol == "TLS" else protocol, ssl_policy, certificates or [], actions or [])
    listener.protocol = wanted
    if wanted not in ("HTTPS", "TLS"):
        listener.certificate, listener.certificates = None, []
    elif certificates:
        listener.certificate = certificates[0]["CertificateArn"]
        listener.certificates = [listener.certificate, *listed]
    return listener


def add_to_list(backend, arn, certificates):
    """AddListenerCertificates adds each certificate to the SNI list once, also the one that is the default."""
    listener = backend.describe_listeners(load_balancer_arn=None, listener_arns=[arn])[0]
    added = [c["CertificateArn"] for c in certificates if c["CertificateArn"] not in listener.certificates[1:]]
    listener.certificates = [*listener.certificates, *added]
    return listener.certificates


def remove_from_list(backend, arn, certificates):
    """RemoveListenerCertificates takes certificates out of the SNI list; the default stays the default."""
    listener = backend.describe_listeners(load_balancer_arn=None, listener_arns=[arn])[0]
    removed = [c["CertificateArn"] for c in certificates]
    listener.certificates = [*listener.certificates[:1], *(c for c in listener.certificates[1:] if c not in removed)]


ELBv2Backend.modify_listener = modify_default_alone
ELBv2Backend.add_listener_certificates = add_to_list
ELBv2Backend.remove_listener_certificates = remove_from_list


# While MOTO_ACCOUNT_ID is set, moto takes every call for that account's; here it is the account of whoever assumed no role.
iam_models.DEFAULT_ACCOUNT_ID = os.environ.pop("MOTO_ACCOUNT_ID", iam_models.DEFAULT_ACCOUNT_ID)


if __name__ == "__main__":
    main(["-H", "127.0.0.1", "-p", sys.argv[1]])
