"""The same infrastructure by this program and by Terraform, on the same cloud, in the same run."""
