create table dbpatch (id bigserial primary key, currentversion text not null, currentpatch int not null);
create table experimenter (id bigint primary key, omename text unique not null);
create table password (experimenter_id bigint primary key references experimenter, hash text);
