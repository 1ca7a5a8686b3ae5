"""Render the bootstrap (user data) and the configuration bundle of a node, only from the plan."""
