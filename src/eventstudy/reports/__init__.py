"""Reports, one file each; the file name is the format. All writing of results is here."""
