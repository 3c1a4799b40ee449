"""Reports, one file each; the file name is the format. Results are written to files only here."""
