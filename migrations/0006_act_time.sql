-- An act's time becomes its job's due_at and updated_at, which the daemon and the views reckon with: it
-- stays within the years 1970 to 9999.
CREATE TRIGGER act_is_of_some_time BEFORE INSERT ON operator_act
WHEN NEW.at NOT BETWEEN 0 AND 253402300799999
BEGIN SELECT RAISE(ABORT, 'operator_act: at is in milliseconds since 1970; leave at out, and it is now'); END;
