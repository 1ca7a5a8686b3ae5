"""`local`: a real OpenStack 2024.2 in namespaces of one machine."""
