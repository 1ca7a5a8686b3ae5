create view users as select omename from experimenter;
