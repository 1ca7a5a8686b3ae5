"""Uses the local OpenStack: projects (tenants) in it, the service that runs there, and a machine outside of it."""
