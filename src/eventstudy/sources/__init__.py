"""Price sources, one file each; the file name is the public name. All reading of prices is here."""
