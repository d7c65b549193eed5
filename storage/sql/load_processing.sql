-- What was learned of how long the DSP takes.
SELECT kind, bin, until_ms, entered, done, believed FROM processing_time;
