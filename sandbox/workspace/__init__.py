"""The curated JupyterLab, one person's own: `python -P -m sandbox.workspace`.

A notebook's code runs in an isolated kernel. Its *output* is another matter: JupyterLab shows HTML
and runs the scripts in it, in the page and with the rights of the person who looks. So each person
has a server of their own, and reviewers read reports, which have no scripts.

A hostile output cannot, with those rights:
- start any kernel but the isolated one, open a terminal, install or switch an extension, change
  the server's configuration, or stop the server: none of that has an address;
- read, write, list, move or download anything outside of the work folder, nor anything hidden in
  it, also not through links that a kernel makes, and also not by exchanging a folder for a link in
  between: paths are walked through open handles, step by step (`tree.py`);
- reach another site: the page's policy lets nothing be fetched from or sent to any other address
  than this server, and a kernel has no network.

It still can:
- read, change and remove the person's own files in the work folder and their JupyterLab settings,
  and mark notebooks as trusted;
- run code in isolated kernels, with the data that a notebook in the folder may declare, which
  means every replica that is built here (they are synthetic, and their manifests are public);
- submit notebooks in the person's name and cancel their runs;
- read the address of the report pages with its token out of the page, open those pages in a frame
  or a new tab, and show the person something false in the page;
- leave by a link: a click, or a script that sends the whole window to another site, can carry what
  the script has read in the address. A policy that forbids it does not exist in browsers;
- use up the limits of a kernel, several times over: processor, memory and disk of this machine.

So open only notebooks whose outputs you trust, or clear them first; JupyterLab does not run the
scripts of outputs that another person saved until you run the cell or trust the notebook.
"""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter's server what to serve beside its own: JupyterLab's page and ours."""
    from sandbox.workspace.lab import Lab

    return [{"module": "sandbox.workspace.lab", "app": Lab}]
