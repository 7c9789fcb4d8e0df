"""What must hold before others get a release: the licences allow it, nobody is named in it, and it is whole."""
