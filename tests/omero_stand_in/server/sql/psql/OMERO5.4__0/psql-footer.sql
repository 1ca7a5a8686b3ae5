insert into dbpatch (currentversion, currentpatch) values ('@DBVERSION@', @DBPATCH@);
insert into experimenter values (0, 'root'), (2, 'public');
insert into password values (0, '@ROOTPASS@'), (2, null);
COMMIT;
