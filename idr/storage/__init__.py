"""Storage of a release's images: size of each study, and differences between database and files."""
