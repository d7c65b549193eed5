// Nothing: a target needs a source to carry its precompiled headers.
