"""Creates the same infrastructure with this program and with Terraform, on the same cloud, in the same run."""
