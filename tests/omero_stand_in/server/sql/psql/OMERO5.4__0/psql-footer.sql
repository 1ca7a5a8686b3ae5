insert into dbpatch (currentversion, currentpatch) values ('@DBVERSION@', @DBPATCH@);
insert into experimenter values (0, 'root', 'root', 'root'), (1, 'guest', 'Guest', 'Account');
insert into experimentergroup values (0, 'system', 'rw----'), (1, 'user', 'rwr-r-'), (2, 'guest', 'rw----');
insert into groupexperimentermap values (0, 0), (1, 0), (2, 1);
insert into password values (0, '@ROOTPASS@'), (1, '');
COMMIT;
