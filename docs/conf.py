"""How the documentation is built: offline, every warning an error, nothing remote in the pages."""

from __future__ import annotations

import gc
import sys
from functools import partial
from importlib.metadata import version as version_of
from pathlib import Path

from jinja2 import FileSystemBytecodeCache
from jinja2.sandbox import SandboxedEnvironment
from numpydoc import docscrape_sphinx

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

# What the pages are parsed into stays: to look through all of it for what can go takes long, again and again.
gc.set_threshold(200_000, 20, 100)

# numpydoc makes an environment for every docstring, which would compile the same template each time
docscrape_sphinx.SandboxedEnvironment = partial(SandboxedEnvironment, bytecode_cache=FileSystemBytecodeCache())

project = "eventstudy"
author = "The eventstudy developers"
copyright = author
release = version = version_of("eventstudy-quant")

extensions = ["members", "mathml", "myst_nb", "sphinx.ext.autodoc", "numpydoc", "sphinx_gallery.gen_gallery"]
exclude_patterns = ["_build", "gallery", "generated/gallery/*.ipynb"]
root_doc = "index"
nitpicky = True

myst_enable_extensions = ["colon_fence", "dollarmath", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True

autodoc_typehints = "none"
autodoc_member_order = "bysource"
python_maximum_signature_line_length = 88
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = "eventstudy"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["eventstudy.css"]
html_extra_path = ["llms.txt"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "navbar_persistent": ["search-button"],
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 5,
    "navigation_with_keys": False,
    "show_prev_next": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {
    page: []
    for page in (
        "index", "getting_started", "tables_and_figures", "reproduce", "data", "adapters", "catalogue", "study_file",
        "command_line", "which_test", "which_model", "deployment", "methods", "how_right", "how_tested",
        "how_fast", "glossary",
    )
}  # fmt: skip
html_sidebars["generated/gallery/*"] = []

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "generated/gallery",
    "filename_pattern": "/(plot|table)_",
    "image_scrapers": ["gallery.scraper"],
    "within_subsection_order": "gallery.Order",
    "reset_modules": (),
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1e9,
    "remove_config_comments": True,
    "abort_on_example_error": True,
    "write_computation_times": False,
    "nested_sections": False,
}
