"""Renders the bootstrap (user-data) and the configuration bundle of a node from the plan alone."""
