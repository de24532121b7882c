# SPDX-License-Identifier: BSD-3-Clause
"""Sphinx configuration."""

import re
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

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
    "sphinx.ext.viewcode",
    "sphinx_gallery.gen_gallery",
]
autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say more
toc_object_entries_show_parents = "hide"
# A name in single backticks is a link where it is one of ours.
default_role = "py:obj"
numpydoc_show_class_members = False
exclude_patterns = ["_build", "README.md"]
templates_path = ["_templates"]
plot_html_show_formats = plot_html_show_source_link = False
plot_formats = ["svg"]
# Formulas are MathML, which browsers show without a script or a font from elsewhere.
html_math_renderer = "mathml"
html_title = "sktransrec"
html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["sktransrec.css"]
html_show_sourcelink = False
html_theme_options = {
    "header_links_before_dropdown": 6,
    "navbar_persistent": ["search-button"],
    "navigation_with_keys": False,
    "show_nav_level": 1,
    "show_toc_level": 2,
}
html_sidebars = {"index": [], "quickstart": [], "results": []}
extlinks = {
    "arxiv": ("https://arxiv.org/abs/%s", "arXiv:%s"),
    "doi": ("https://doi.org/%s", "doi:%s"),
}
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
    "subsection_order": [f"../examples/{topic}" for topic in ("transfer", "scenes", "content")],
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("sktransrec",),
}
_PROJECTS = {
    "numpy": "https://numpy.org/doc/stable",
    "scipy": "https://docs.scipy.org/doc/scipy",
    "sklearn": "https://scikit-learn.org/stable",
}


def reachable(address):
    """Return whether the inventory of a project can be read now."""
    try:
        with urlopen(f"{address}/objects.inv", timeout=10):
            return True
    except URLError:
        return False


# Without a network, names of other projects are no links, and nothing else changes.
intersphinx_mapping = {
    name: (address, None) for name, address in _PROJECTS.items() if reachable(address)
}
if len(intersphinx_mapping) < len(_PROJECTS):
    # Methods that scikit-learn describes point to labels of its pages.
    suppress_warnings = ["ref.ref"]


def mathml(node, **options):
    """Return a formula as MathML, whose brackets grow by themselves."""
    formula = re.sub(r"\\[Bb]igg?(?![a-z])", "", node.astext())
    markup = tex2mathml(formula.replace(r"\dots", r"\ldots"), **options)
    # docutils sets the index of a letter with a bar, a hat or a tilde below the letter.
    return re.sub(
        r'<munderover>\s*(<mi>[^<]*</mi>)(.*?)(<mo stretchy="false">[ˉˆ~]</mo>)\s*</munderover>',
        r'<msub><mover accent="true">\1\3</mover>\2</msub>',
        markup,
        flags=re.DOTALL,
    )


def visit_math(translator, node):
    """Write a formula within a line."""
    translator.body.append(mathml(node))
    raise nodes.SkipNode


def visit_displayed_math(translator, node):
    """Write a formula on its own lines."""
    translator.body.append(f'<div class="formula">{mathml(node, as_block=True)}</div>')
    raise nodes.SkipNode


def escape_fitted_names(app, what, name, obj, options, lines):
    """Keep names such as n_items_ in a shape from being read as links."""
    for i, line in enumerate(lines):
        if ">>>" not in line:
            parts = re.split(r"(`+[^`]*`+\S*)", line)
            parts[::2] = (re.sub(r"\b(\w+)_(?=[,) ]|$)", r"\1\\_", part) for part in parts[::2])
            lines[i] = "".join(parts)


def setup(app):
    """Register the formulas, and the hook after numpydoc's own."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displayed_math, None))
    app.connect("autodoc-process-docstring", escape_fitted_names, priority=900)
