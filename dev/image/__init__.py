"""The guest image of the `local` cloud: a Debian 12 root filesystem with everything pre-installed."""
