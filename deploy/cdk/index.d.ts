import { Stack, StackProps } from 'aws-cdk-lib';
import { Construct } from 'constructs';

export interface CertdriftProps extends StackProps {
  /** The S3 bucket that holds the release, in the region of the stack. */
  readonly releaseBucket: string;
  /** The path of the release's template.json, unpacked from certdrift-stack_VERSION.zip. */
  readonly template: string;
  /** The prefix of the release's objects in the bucket, with a slash at its end. By default certdrift/VERSION/. */
  readonly releasePrefix?: string;
  /** The text of certdrift.yaml, to be put into the SSM parameter /STACK/config (at most 8 KB). Without it, set ConfigBucket or ConfigParameter in `parameters`. */
  readonly configuration?: string;
  /** Email address that receives every alert. AWS first sends a confirmation email. */
  readonly alertEmail?: string;
  /** Further parameters of the template by their names. samconfig.example.toml explains all. */
  readonly parameters?: { readonly [name: string]: string };
}

/** certdrift from a release, as a stack of its own. Its name is `certdrift`, or `stackName` with at most 38 characters. */
export declare class Certdrift extends Stack {
  /** The topic that alerts are sent to. Subscribe further recipients here. */
  readonly topicArn: string;
  /** The function that gates a deployment. */
  readonly verifyFunctionName: string;
  constructor(scope: Construct, id: string, props: CertdriftProps);
}
