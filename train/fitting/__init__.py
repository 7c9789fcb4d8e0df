"""What both ways to train share: arguments, trainer, resume, the run folder."""
