"""Release to Hub, and back; pictures and plots. Imports schema and builders."""
