# What SkyNet needs in an AWS account: a role for the controller, one for the
# workers, the workers' security group and launch template. The controller itself,
# and the queue, run where the role is used.
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

data "aws_caller_identity" "this" {}

data "aws_region" "this" {}

locals {
  fleet = "${var.cluster}/${var.role}"
  name  = "skynet-${var.cluster}-${var.role}"

  # An instance takes its role from the instance metadata service.
  ec2_assumes = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role" "worker" {
  name               = "${local.name}-worker"
  assume_role_policy = local.ec2_assumes
}

resource "aws_iam_role_policy" "worker" {
  name = "skynet"
  role = aws_iam_role.worker.id
  policy = templatefile("${path.module}/../policy-worker.json", {
    releases = var.releases_bucket
    inputs   = var.inputs_bucket
    results  = var.results_bucket
  })
}

# Workers with auth = "sts" ask STS for tokens that say which instance they are.
# The account must have outbound identity federation: it is one switch for all who
# use it, so that this module leaves it alone.
resource "aws_iam_role_policy" "worker_sts" {
  count  = var.audience == "" ? 0 : 1
  name   = "skynet-sts"
  role   = aws_iam_role.worker.id
  policy = templatefile("${path.module}/../policy-worker-sts.json", { audience = var.audience })
}

resource "aws_iam_instance_profile" "worker" {
  name = "${local.name}-worker"
  role = aws_iam_role.worker.name
}

resource "aws_iam_role" "controller" {
  name               = "${local.name}-controller"
  assume_role_policy = local.ec2_assumes
}

resource "aws_iam_role_policy" "controller" {
  name = "skynet"
  role = aws_iam_role.controller.id
  policy = var.observe_only ? file("${path.module}/../policy-observe.json") : templatefile("${path.module}/../policy-controller.json", {
    region      = data.aws_region.this.name
    account     = data.aws_caller_identity.this.account_id
    fleet       = local.fleet
    types       = jsonencode(var.instance_types)
    worker_role = aws_iam_role.worker.arn
  })
}

# What a controller needs beside EC2, as far as its file asks for it.
locals {
  parameters = [for name in var.secret_parameters : "arn:aws:ssm:${data.aws_region.this.name}:${data.aws_caller_identity.this.account_id}:parameter${name}"]

  beside = merge(
    var.doctor ? {
      doctor = file("${path.module}/../policy-doctor.json")
    } : {},
    length(var.source_queues) > 0 ? {
      source-sqs = templatefile("${path.module}/../policy-source-sqs.json", { queues = jsonencode(var.source_queues) })
    } : {},
    var.source_cloudwatch ? {
      source-cloudwatch = templatefile("${path.module}/../policy-source-cloudwatch.json", { region = data.aws_region.this.name })
    } : {},
    length(var.secret_parameters) > 0 ? {
      secret-ssm = templatefile("${path.module}/../policy-secret-ssm.json", { parameters = jsonencode(local.parameters) })
    } : {},
    var.secret_key != "" ? {
      secret-kms = templatefile("${path.module}/../policy-secret-kms.json", {
        key        = var.secret_key
        region     = data.aws_region.this.name
        parameters = jsonencode(local.parameters)
      })
    } : {},
    var.provider_health ? {
      provider-health = file("${path.module}/../policy-provider-health.json")
    } : {},
    var.status_place != "" ? {
      status-s3 = templatefile("${path.module}/../policy-status-s3.json", { place = var.status_place })
    } : {},
    var.results_place != "" ? {
      queue-results = templatefile("${path.module}/../policy-queue-results.json", { results_place = var.results_place })
    } : {},
  )
}

resource "aws_iam_role_policy" "beside" {
  for_each = local.beside
  name     = "skynet-${each.key}"
  role     = aws_iam_role.controller.id
  policy   = each.value
}

resource "aws_iam_instance_profile" "controller" {
  name = "${local.name}-controller"
  role = aws_iam_role.controller.name
}

# Workers call out; nobody calls them.
resource "aws_security_group" "worker" {
  name        = "${local.name}-worker"
  description = "SkyNet workers: out only"
  vpc_id      = var.vpc_id

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_launch_template" "worker" {
  name                                 = local.name
  image_id                             = var.image
  instance_initiated_shutdown_behavior = "terminate"
  disable_api_termination              = false
  vpc_security_group_ids               = [aws_security_group.worker.id]
  user_data                            = filebase64(var.user_data_file)

  iam_instance_profile {
    name = aws_iam_instance_profile.worker.name
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "enabled"
  }
}
