"""Print the database schema of the OMERO.server in OMERODIR, as VERSION__PATCH, and its SQL profile.

Read as `omero db script` reads them: since OMERO 5.5 the defaults are in jars, not in etc/omero.properties alone.
"""

from omero.cli import CLI

cli = CLI()
defaults = cli.initData({})
cli.parsePropertyFile(defaults, cli.readDefaults())
version, patch, profile = (
    defaults.properties.getProperty(f"omero.db.{key}") for key in ("version", "patch", "profile")
)
print(f"{version}__{patch} {profile}")
