'use strict';

const { readFileSync } = require('node:fs');
const { Stack, Validations } = require('aws-cdk-lib');
const { CfnInclude } = require('aws-cdk-lib/cloudformation-include');
const { ParameterTier, StringParameter } = require('aws-cdk-lib/aws-ssm');

/**
 * certdrift from a release: the release's template as a stack of its own. It is not a nested one, since all of its resources are named after
 * the stack, and CloudFormation gives nested stacks names that are too long for that.
 */
class Certdrift extends Stack {
  constructor(scope, id, props) {
    const { releaseBucket, releasePrefix, template, configuration, alertEmail, parameters, ...stackProps } = props;
    super(scope, id, { stackName: 'certdrift', ...stackProps });

    const values = { ReleaseBucket: releaseBucket };
    if (releasePrefix !== undefined) values.ReleasePrefix = releasePrefix;
    if (alertEmail !== undefined) values.AlertEmail = alertEmail;
    if (configuration !== undefined) {
      values.ConfigParameter = `/${this.stackName}/config`;
      new StringParameter(this, 'Configuration', {
        parameterName: values.ConfigParameter,
        stringValue: configuration,
        tier: ParameterTier.INTELLIGENT_TIERING,
      });
    }

    // The functions pass through as they are: the CDK's types for them lag behind what SAM accepts (a failure destination without one for success).
    const resources = JSON.parse(readFileSync(template, 'utf8')).Resources;
    const functions = Object.keys(resources).filter((name) => resources[name].Type === 'AWS::Serverless::Function');
    const included = new CfnInclude(this, 'Template', { templateFile: template, dehydratedResources: functions });
    for (const name of functions) {
      const resource = included.getResource(name);
      resource.overrideLogicalId(name);
      for (const attribute of ['Condition', 'DependsOn']) {
        if (resources[name][attribute]) resource.addOverride(attribute, resources[name][attribute]);
      }
      // The CDK's own check does not know what a schedule that is a parameter will be. Versions before the check have no Validations.
      Validations?.of(resource).acknowledge({ id: 'CloudFormation-Validate::E0001', reason: 'the schedule is a parameter' });
    }

    // The parameters stay, so that CloudFormation checks the values against their patterns.
    for (const [name, value] of Object.entries({ ...values, ...parameters })) included.getParameter(name).default = value;

    this.topicArn = included.getOutput('TopicArn').value;
    this.verifyFunctionName = included.getOutput('VerifyFunctionName').value;
  }
}

module.exports = { Certdrift };
