"""Models that answer: transformers, vLLM, any OpenAI-compatible endpoint."""
