-- Made %(TIME)s from %(DIR)s.
BEGIN;
