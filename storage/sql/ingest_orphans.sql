SELECT id FROM batch WHERE state = 'loading';
