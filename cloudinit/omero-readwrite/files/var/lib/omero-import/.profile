# For who imports: `sudo -iu omero-import`. The server must be able to move and delete what is imported.
umask 0002
export OMERODIR=/opt/omero/server/OMERO.server
export PATH=/opt/omero/server/venv/bin:/opt/ice-3.6.5/bin:$PATH
