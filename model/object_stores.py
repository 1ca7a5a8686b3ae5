"""Buckets of object stores (S3) that OMERO nodes mount read-only, as the IDR does with image data in Zarr."""

import re
from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import Field, SecretStr

from model.field_types import SEALED, HttpsUrl, MountPath, Section, Several, Shape

Bucket = Annotated[
    str,
    Shape("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._-]+)*", "a bucket, or a folder in it, as in idr/zarr"),
]
AccessKey = Annotated[str, Shape("[A-Za-z0-9_.+/=-]{1,128}", "an access key of the object store")]
Region = Annotated[str, Shape("[A-Za-z0-9-]{1,64}", "a region of the object store, as in eu-west-2")]

LONGEST_NAME: Final = 200
"""The longest name of a unit: systemd allows 255 characters in total."""
SECRET: Final = re.compile("[A-Za-z0-9/+=_.~-]+")
"""Characters that are not special in rclone's configuration."""


class S3Mount(Section):
    """A bucket that OMERO nodes mount read-only, at the same path on all of them."""

    kind: Literal["s3"] = Field("s3", description="Left out below `s3Mounts` only")
    bucket: Bucket = Field(description="The bucket, or a folder in it, as in idr/zarr")
    endpoint: HttpsUrl = Field(description="Where the object store is, as in https://s3.example.org")
    mount: MountPath = Field(description="Where it is mounted")
    region: Region | None = Field(None, description="The object store's region, if it has regions")
    access_key: AccessKey | None = Field(None, description="The access key; absent: requests are anonymous")
    secret_key: SecretStr | None = Field(None, description="The access key's secret; a secret")
    cache_gib: Several = Field(10, description="Disk of each node for what was read last, in GiB")

    @property
    def name(self) -> str:
        """The name of its systemd unit and files, derived from the mount's path."""
        return self.mount.strip("/").replace("-", "--").replace("/", "-")

    def sources(self) -> Iterator[tuple[str, str]]:
        """Yield each path with the origin of its files."""
        yield self.mount, f"{self.bucket} of {self.endpoint}"

    def problems(self) -> Iterator[str]:
        """Yield a key without secret, a secret with special characters, and paths that are invalid in a unit's name."""
        if (self.access_key is None) != (self.secret_key is None):
            yield "accessKey and secretKey belong together: give both, or neither for a public bucket"
        secret = self.secret_key.get_secret_value() if self.secret_key else SEALED
        if secret != SEALED and not SECRET.fullmatch(secret):
            yield "secretKey: holds more than letters, digits and /+=_.~-, which rclone would read in another way"
        if "/-" in self.mount:
            # With these, two paths would have one name.
            yield f"mount: a part of {self.mount} begins with a dash"
        if len(self.name) > LONGEST_NAME:
            yield f"mount: makes a longer name of a unit than {LONGEST_NAME} characters: take a shorter path"
        if {".", ".."}.intersection(self.bucket.split("/")):
            yield f"bucket: {self.bucket} has a part '.' or '..'"
