"""The four published systems' vocabularies as facts, the mapping between them and ours, and words resolved to codes."""
