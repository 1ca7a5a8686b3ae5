BEGIN;
create table upgraded ();
insert into dbpatch (currentversion, currentpatch) values ('OMERO5.4', 0);
COMMIT;
