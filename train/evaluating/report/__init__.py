"""What an evaluation found, and how runs differ, for people: Markdown, HTML and plots of what `results.json` holds."""
