"""Files of other harnesses: exports of a release and its questions, and foreign benchmarks read."""
