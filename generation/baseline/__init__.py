"""What a set of questions gives away to whoever never sees a picture."""
