"""What tests and benchmarks both use, so that neither imports the other.

Plans of the committed stack files without an engine (`stacks`, `rendered`), a copy of the program with its own state
(`project`, `steps`), servers on loopback (`proxy`, `redis`, `stub_release`), a browser, OMERO's clients, and the local
OpenStack: a project of one's own in it, the running service, a machine outside, an attacker. It measures nothing and
has no test.
"""
