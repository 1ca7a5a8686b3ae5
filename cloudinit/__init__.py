"""What a node is given: bootstrap (user-data) and configuration bundle, rendered from the plan alone."""
