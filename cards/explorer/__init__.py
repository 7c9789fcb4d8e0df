"""The explorer: a release as a web page, served from here or written as files that any file server hands out.

Data are plain files made by one function each, so that the served page and the written one ask for the same things:

    data/release.json        what the release is: sources, rights, suites, how pictures are to be had
    data/index.pack          columns of all samples and their leaves, as typed arrays
    data/keys.pack           keys, in the same order
    data/pairs.pack          duplicates
    records/<block>.pack     the records of 16 samples
    questions/<block>.pack   the questions about them, of every suite
    thumbs/<row>.jpg or sprites/<block>.jpg, images/<row>

A `.pack` is gzip, which the page itself opens: a plain file server needn't know.
"""
