"""Tables for papers, one file each, found by name: numbers with their formats, written to any format."""
