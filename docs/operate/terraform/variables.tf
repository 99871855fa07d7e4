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
