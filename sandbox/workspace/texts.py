"""What JupyterLab's extension says; its English stands in its own `texts.js` as well.

The extension speaks English by itself where this server does not answer, so a test holds the two
lists together.
"""

from __future__ import annotations

from sandbox.language import _


def texts() -> dict[str, str]:
    """Give every text of the extension in the spoken language."""
    return {
        "start": _("Start"),
        "start_caption": _("What is here, the templates and your latest runs"),
        "overview": _("Overview"),
        "guided": _("Guided notebooks"),
        "palette": _("Data sandbox"),
        "open_template": _("New from template: {title}"),
        "open_guided": _("Guided notebook: {title}"),
        "card_caption": _("{purpose} (about {minutes} min)"),
        "copy_failed": _("The notebook could not be opened"),
        "reports": _("Reports"),
        "reports_caption": _("All runs and their reports"),
        "data": _("Data"),
        "data_caption": _("Datasets, tables, columns and published tables"),
        "pages_missing": _("The report pages are not running"),
        "pages_missing_remedy": _(
            "Close the workspace, then start both together with this command: sandbox up"
        ),
        "submit": _("Submit"),
        "submit_caption": _(
            "Submit this notebook: it runs once from top to bottom, and you get a report"
        ),
        "submit_title": _("Submit: {title}"),
        "submit_intro": _(
            "The notebook as it is saved now runs from top to bottom, in a kernel of its "
            "own, with the values below. You follow it here and then open its report."
        ),
        "reading": _("Saving the notebook and reading its parameters…"),
        "not_saved": _(
            "The notebook could not be saved, so it was not submitted. Save it, then press "
            "Submit again."
        ),
        "not_ready": _("This notebook cannot be submitted yet"),
        "parameters": _("Parameters"),
        "no_parameters": _("This notebook declares no parameters: it runs as it stands."),
        "kind_str": _("text"),
        "kind_int": _("whole number"),
        "kind_float": _("number"),
        "kind_bool": _("yes or no"),
        "kind_list": _("list, for example [1, 2]"),
        "kind_dict": _('pairs, for example {"a": 1}'),
        "kind_Literal": _("one of the choices"),
        "checked_errors": _("Mend this first, save, and press Submit again"),
        "checked_warnings": _("Worth a look before you submit; these remarks travel with the run"),
        "severity_error": _("Error"),
        "severity_warning": _("Warning"),
        "remedy": _("What to do: {remedy}"),
        "go_to_cell": _("Show this cell in the notebook"),
        "yes": _("yes"),
        "no": _("no"),
        "may_be_empty": _("may be left empty"),
        "default": _("default: {value}"),
        "nothing": _("(none)"),
        "about": _("About this run"),
        "team": _("Team"),
        "team_help": _("For whom you submit; the report names it"),
        "why": _("Why"),
        "why_help": _("In one sentence: what do you want to find out?"),
        "send": _("Submit"),
        "sending": _("Checking and submitting…"),
        "attachments": _("Files that go with the notebook"),
        "close": _("Close"),
        "server_gone": _("The workspace does not answer. What you typed is kept; trying again…"),
        "server_gone_run": _("The workspace does not answer. The run is not lost; asking again…"),
        "signed_out": _(
            "You are signed out of the workspace. Open it again with the address that "
            "“sandbox up” printed."
        ),
        "server_fault": _(
            "The workspace met an error (number {status}). Try again; if it comes back, "
            "restart with “sandbox up”."
        ),
        "run_title": _("Run {id}"),
        "waiting": _("Waiting for its turn"),
        "cell_of": _("Cell {cell} of {n_cells}"),
        "keep_working": _(
            "You may close this window and keep working: the run goes on, and a message "
            "tells you when it ends."
        ),
        "cancel_run": _("Cancel the run"),
        "cancelling": _("Cancelling…"),
        "succeeded": _("The run is complete."),
        "failed": _("The run did not succeed."),
        "cancelled": _("The run was cancelled."),
        "open_report": _("Open the report"),
        "open_run": _("Open the run’s page"),
        "pages_missing_run": _(
            "The report pages are not running. Read this run with: sandbox run show {id}"
        ),
        "again": _("Change the values and submit again"),
        "ended": _("{title} – {status}"),
    }
