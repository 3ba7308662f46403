"""The hook of MkDocs that writes assets/catalogue.js into the site, for the paste box."""

from __future__ import annotations

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from migration_runbooks.explain.browser import catalogue_script


def on_files(files: Files, config: MkDocsConfig) -> Files:
    files.append(File.generated(config, "assets/catalogue.js", content=catalogue_script()))
    return files
