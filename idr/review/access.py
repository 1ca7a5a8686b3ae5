"""Which files of the repository and keys of OMERO's configuration decide who may do what, and which are checks."""

from dataclasses import dataclass
from fnmatch import fnmatch

# Who may log in or become root, whom a service admits, the account and rights of a service, and the owners of files.
ACCESS = (
    "*/authorized_keys*",
    "*/sshd_config*",
    "*/sudoers*",
    "*/etc/idr/people*",
    "*/scripts/people",
    "*/scripts/former-keys",
    "*/bin/omero-import",
    "*/bin/idr-import",
    "*/nftables.conf*",
    "*/pg_hba.conf*",
    "*/users.acl*",
    "*/exports.d/*",
    "*/systemd/system/*",
    "*/systemd/hardening.conf",
    # What the proxy passes on and what it refuses, and its security headers.
    "cloudinit/proxy/*.conf*",
    "*.nginx",
    "*/idr_middleware.py",
    # On which addresses services wait, how they encrypt, and whom they verify.
    "*/redis.conf*",
    "*/postgresql.conf*",
    "*/haproxy.cfg*",
    "*/nfs.conf.d/*",
    "*/ice.config",
    "*.omero.j2",
    "*/needrestart/*",
    "*/files.yaml",
    *("cloudinit/contexts.py", "cloudinit/frontend.py", "cloudinit/omero.py", "cloudinit/source.py"),
    *("cloudinit/quoting.py", "cloudinit/render.py", "cloudinit/templates.py", "cloudinit/user_data.py"),
    "model/addresses.yaml",
    "model/web_apps.yaml",
)
# Checks that refuse a configuration before it is used, or report that it does not work.
CHECKS = ("*/scripts/check", "*/scripts/health", "cloudinit/web/scripts/loads", "cloudinit/bootstrap/idr-apply")


@dataclass(frozen=True, order=True)
class FileChange:
    """A template or script that configures nodes, by its path in the repository, and what happens to it."""

    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.path} is {self.what}"

    @property
    def is_access(self) -> bool:
        """Whether it decides who may do what.

        Of a site's own role, role.yaml says what visitors and others may ask. A site's own packages of Python run as
        OMERO.server or OMERO.web.
        """
        is_of_site = self.path.endswith(("/role.yaml", ".lock")) and not self.path.startswith("cloudinit/")
        return is_of_site or matches(self.path, ACCESS)

    @property
    def is_check(self) -> bool:
        """Whether it is a check that a new configuration must pass. One that is added lifts nothing."""
        return self.what != "added" and matches(self.path, CHECKS)


# Who may log in to OMERO, what they may read and change, which programs and jars it starts and with which options,
# where it sends mail (new passwords, reports of errors), who may embed its pages, and which applications visitors may
# ask.
ACCESS_KEYS = (
    "Ice.*",
    "IceGrid.*",
    "omero.jvmcfg.append*",
    "omero.mail.*",
    "omero.scripts.*",
    "omero.server.nodedescriptors",
    "omero.web.admins*",
    "omero.web.apps",
    "omero.web.email_*",
    "omero.security.*",
    "omero.ldap.*",
    "omero.policy.*",
    "omero.launcher.*",
    "omero.process.*",
    "omero.web.csrf*",
    "omero.web.redirect_allowed_hosts",
    "omero.web.x_frame_options",
    "jar lib/*",
)


@dataclass(frozen=True, order=True)
class KeyChange:
    """A key of OMERO's own configuration, or a jar of a stack file's, what happens to it, and on which nodes."""

    key: str
    what: str
    nodes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.key} is {self.what} on {', '.join(self.nodes)}"

    @property
    def is_access(self) -> bool:
        """Whether it decides who may do what."""
        return matches(self.key, ACCESS_KEYS)


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    """Return whether one of the patterns of `fnmatch` fits."""
    return any(fnmatch(path, pattern) for pattern in patterns)
