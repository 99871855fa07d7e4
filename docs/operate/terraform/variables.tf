variable "cluster" {
  description = "Cluster, as [ec2] of the fleet's file says."
  type        = string
}

variable "role" {
  description = "Role in the cluster, as [ec2] of the fleet's file says; its default there is the fleet's name."
  type        = string
}

variable "observe_only" {
  description = "The controller may look, and nothing else: enough for mode observe."
  type        = bool
  default     = true
}

variable "instance_types" {
  description = "Types that may be launched: those of the scenario's catalog."
  type        = list(string)
}

variable "vpc_id" {
  description = "VPC of the workers, vpc-…"
  type        = string
}

variable "image" {
  description = "Image of the workers, ami-…"
  type        = string
}

variable "user_data_file" {
  description = "File with the workers' user data. Anything on an instance can read it: no secrets."
  type        = string
}

variable "releases_bucket" {
  description = "Bucket of the workers' releases."
  type        = string
}

variable "inputs_bucket" {
  description = "Bucket that jobs read."
  type        = string
}

variable "results_bucket" {
  description = "Bucket that results are put into."
  type        = string
}

variable "audience" {
  description = "Audience of the workers' web identity tokens, skynet:CLUSTER unless the queue says otherwise; empty: they do not prove themselves by STS."
  type        = string
  default     = ""
}

variable "doctor" {
  description = "The controller's machine may look at image, template, subnets and types, as skynetd doctor does."
  type        = bool
  default     = true
}

variable "source_queues" {
  description = "ARNs of the queues in SQS that [source] names."
  type        = list(string)
  default     = []
}

variable "source_cloudwatch" {
  description = "[source] says cloudwatch = true."
  type        = bool
  default     = false
}

variable "secret_parameters" {
  description = "Parameters of Systems Manager that the fleet's file names as ssm:/NAME, each as /NAME."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.secret_parameters : startswith(name, "/")])
    error_message = "A parameter's name begins with a slash, such as /skynet/slack-url."
  }
}

variable "secret_key" {
  description = "ARN of the KMS key that these parameters are encrypted with; empty: Amazon's own, aws/ssm, which needs no permission."
  type        = string
  default     = ""
}

variable "provider_health" {
  description = "[provider] says kind = \"health\"."
  type        = bool
  default     = false
}

variable "status_place" {
  description = "Bucket and prefix that [status] writes to, BUCKET/PREFIX or BUCKET, without a slash at the end; empty: nowhere in S3."
  type        = string
  default     = ""
}

variable "results_place" {
  description = "Bucket and prefix below which the queue, on the controller's machine, signs addresses of results (--sign-results), without a slash at the end; empty: it signs none."
  type        = string
  default     = ""
}
