"""What can be asked of a result beyond its own frames: one analysis a file, on the study that is run again."""
