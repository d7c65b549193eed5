-- Of which database this file is the archive.
SELECT value FROM property WHERE name = 'archive_of';
