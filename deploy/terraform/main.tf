# certdrift from a release: the release's CloudFormation template as one resource, and its configuration as an object in S3.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

data "aws_region" "current" {}

data "aws_partition" "current" {}

locals {
  prefix = coalesce(var.release_prefix, "certdrift/${var.release_version}/")
}

resource "aws_s3_object" "configuration" {
  count = var.configuration == null ? 0 : 1

  bucket       = coalesce(var.config_bucket, var.release_bucket)
  key          = var.config_key
  content      = var.configuration
  content_type = "application/yaml"
  tags         = var.tags
}

resource "aws_cloudformation_stack" "certdrift" {
  name         = var.name
  template_url = "https://${var.release_bucket}.s3.${data.aws_region.current.id}.${data.aws_partition.current.dns_suffix}/${local.prefix}template.json"
  # The stack creates IAM roles (IAM), and its template uses the Serverless transform (AUTO_EXPAND).
  capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
  tags         = var.tags

  parameters = merge(
    {
      ReleaseBucket = var.release_bucket
      ReleasePrefix = local.prefix
      ConfigBucket  = coalesce(var.config_bucket, var.release_bucket)
      ConfigKey     = var.config_key
      AlertEmail    = var.alert_email
    },
    var.parameters,
  )

  # The first round reads the configuration a minute after the stack exists.
  depends_on = [aws_s3_object.configuration]
}
