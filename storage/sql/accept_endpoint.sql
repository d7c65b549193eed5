-- An operator has resumed: it is the same DSP under another name.
UPDATE account SET endpoint = :endpoint WHERE one = 1 AND paused_by IS NULL;
