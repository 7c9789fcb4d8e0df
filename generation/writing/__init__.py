"""Questions that a model writes: one client for OpenAI-compatible endpoints, retrieval, plans, drafts and a judge."""
