variable "name" {
  description = "The name of the stack, and the prefix of all resource names."
  type        = string
  default     = "certdrift"

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,37}$", var.name))
    error_message = "A stack name has letters, digits and hyphens, begins with a letter, and here has at most 38 characters."
  }
}

variable "release_bucket" {
  description = "The S3 bucket that holds the release, in the region of the stack."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.release_bucket))
    error_message = "A bucket name without dots and without s3://."
  }
}

variable "release_version" {
  description = "The version of the release, such as v0.1.0."
  type        = string
}

variable "release_prefix" {
  description = "The prefix of the release's objects, with a slash at its end. By default certdrift/VERSION/."
  type        = string
  default     = null
}

variable "configuration" {
  description = "The text of certdrift.yaml, such as file(\"certdrift.yaml\"), to be put into config_bucket. Null if it is there already."
  type        = string
  default     = null
}

variable "config_bucket" {
  description = "The S3 bucket to read the configuration from. By default release_bucket."
  type        = string
  default     = null
}

variable "config_key" {
  description = "The key of the configuration in config_bucket."
  type        = string
  default     = "certdrift.yaml"
}

variable "alert_email" {
  description = "Email address that receives every alert. AWS first sends a confirmation email. Empty for none."
  type        = string
  default     = ""
}

variable "parameters" {
  description = "Further parameters of the template by their names, such as {AlertSms = \"+491713920010\"}. samconfig.example.toml explains all."
  type        = map(string)
  default     = {}
}

variable "tags" {
  description = "Tags of the stack, which CloudFormation puts on its resources."
  type        = map(string)
  default     = {}
}
