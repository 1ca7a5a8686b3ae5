"""A small OpenStack API on loopback, for the real engine, provider and openstacksdk: see `cloud.FakeCloud`."""
