"""Code that tests and measurements share, so that neither imports the other.

Plans of the committed stack files without an engine (`stacks`, `rendered`), a copy of the program with its own state
(`project`, `steps`), servers on loopback (`proxy`, `redis`, `stub_release`, `self_signed`), a browser, OMERO's clients,
and the local OpenStack: separate projects in it, the running service, a machine outside of it, an attacker. It contains
no measurements and no tests.
"""
