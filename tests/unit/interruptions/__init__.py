"""What interrupts deployments, without a deployment."""
