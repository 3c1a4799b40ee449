"""Running a study with its data: preparation, execution in parts, repeated runs, and data frames of the output."""
