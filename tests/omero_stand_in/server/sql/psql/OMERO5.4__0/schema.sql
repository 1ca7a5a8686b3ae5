create table dbpatch (id bigserial primary key, currentversion text not null, currentpatch int not null);
create table experimenter (id bigint primary key, omename text unique not null, firstname text not null, lastname text not null);
create table experimentergroup (id bigint primary key, name text unique not null, permissions text not null);
create table groupexperimentermap (parent bigint references experimentergroup, child bigint references experimenter, primary key (parent, child));
create table password (experimenter_id bigint primary key references experimenter, hash text);
