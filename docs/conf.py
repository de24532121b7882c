"""Sphinx configuration."""

import re
import sys
from pathlib import Path

import sktransrec

sys.path.insert(0, str(Path(__file__).parent))
import build_results

build_results.main()

project = "sktransrec"
author = "the sktransrec developers"
copyright = "2026, the sktransrec developers"
version = release = sktransrec.__version__

extensions = [
    "matplotlib.sphinxext.plot_directive",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.extlinks",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
autosummary_generate = True
numpydoc_show_class_members = False
exclude_patterns = ["_build", "README.md"]
templates_path = ["_templates"]
plot_html_show_formats = plot_html_show_source_link = False
plot_formats = ["svg"]
html_theme = "pydata_sphinx_theme"
extlinks = {
    "arxiv": ("https://arxiv.org/abs/%s", "arXiv:%s"),
    "doi": ("https://doi.org/%s", "doi:%s"),
}
intersphinx_mapping = {
    "numpy": ("https://numpy.org/doc/stable", None),
    "scipy": ("https://docs.scipy.org/doc/scipy", None),
    "sklearn": ("https://scikit-learn.org/stable", None),
}
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
}


def escape_fitted_names(app, what, name, obj, options, lines):
    """Keep names such as n_items_ in a shape from being read as links."""
    for i, line in enumerate(lines):
        if ">>>" not in line:
            parts = re.split(r"(`+[^`]*`+\S*)", line)
            parts[::2] = (re.sub(r"\b(\w+)_(?=[,) ]|$)", r"\1\\_", part) for part in parts[::2])
            lines[i] = "".join(parts)


def setup(app):
    """Register the hook, after numpydoc's own."""
    app.connect("autodoc-process-docstring", escape_fitted_names, priority=900)
