"""Questions with options, after Med-MAT and GMAI-MMBench: what is asked, and which options are wrong for sure."""
