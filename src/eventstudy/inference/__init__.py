"""Tests of abnormal returns, one file each; the file name is the public name."""
