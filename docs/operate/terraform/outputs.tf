output "controller_instance_profile" {
  description = "For the machine that the controller runs on."
  value       = aws_iam_instance_profile.controller.name
}

output "template" {
  description = "For template of [ec2]."
  value       = aws_launch_template.worker.id
}

output "template_version" {
  description = "For version of [ec2]. A new version is launched only once it stands there."
  value       = aws_launch_template.worker.latest_version
}
