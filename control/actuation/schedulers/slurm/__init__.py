"""Slurm by its own command line: a fixed list of verbs, without a shell; it never cancels a job."""
