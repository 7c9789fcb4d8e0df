"""What people read at the terminal: tables, verdicts and progress."""
