"""One file per source; the file name is the name of the source."""
