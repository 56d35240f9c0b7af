output "topic_arn" {
  description = "The topic that alerts are sent to. Subscribe further recipients here."
  value       = aws_cloudformation_stack.certdrift.outputs["TopicArn"]
}

output "verify_function_name" {
  description = "The function that gates a deployment."
  value       = aws_cloudformation_stack.certdrift.outputs["VerifyFunctionName"]
}

output "outputs" {
  description = "All outputs of the stack, by their names."
  value       = aws_cloudformation_stack.certdrift.outputs
}
